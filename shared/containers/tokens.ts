/** 256 random bits, base64url. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** What a container holds in the place of a key, for as long as its run lives. */
export const newTokenOfRun = (): string => `switchyard-run-${newToken()}`;
