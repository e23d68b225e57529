import { Secret, type SecretSource } from "../domain/ports/secrets.ts";

/** Worker secrets by name. An empty value counts as none. */
export const envSecrets = (values: ReadonlyMap<string, string>): SecretSource => ({
  find: (name) => {
    const value = values.get(name);
    return value === undefined || value === "" ? null : new Secret(value);
  },
});
