import { describe, expect, it } from "vitest";
import {
  applyEndpoint,
  endpointsInUse,
  findEndpointOrigins,
} from "../../scripts/local/endpoints.ts";
import type { ProviderStatus } from "../../shared/contracts/provider.ts";

const gateway = "https://gateway.example.com/gemini";
const env = { GOOGLE_GEMINI_BASE_URL: gateway };

/** An interface in which Gemini is configured like this. */
function clientOf(gemini: Partial<ProviderStatus>) {
  const puts: unknown[] = [];
  return {
    puts,
    providers: async () => ({
      providers: [
        {
          name: "gemini",
          enabled: true,
          defaultModel: null,
          apiEndpoint: null,
          ...gemini,
        } as ProviderStatus,
      ],
    }),
    putProvider: async (name: string, config: object) => {
      puts.push([name, config]);
    },
  };
}

describe("an endpoint that a variable names", () => {
  it("wins over a configured one, of which the rest stays", async () => {
    const client = clientOf({
      enabled: false,
      defaultModel: "m",
      apiEndpoint: "https://other.example.com",
    });

    await applyEndpoint(client, "gemini", env);

    expect(client.puts).toEqual([
      ["gemini", { enabled: false, defaultModel: "m", apiEndpoint: gateway }],
    ]);
  });

  it("is not set again where it is set, and not where there is none", async () => {
    const client = clientOf({ apiEndpoint: gateway });

    await applyEndpoint(client, "gemini", env);
    await applyEndpoint(client, "claude-code", env);

    expect(client.puts).toEqual([]);
  });

  it("may be configured, and has to be a URL", () => {
    expect(findEndpointOrigins(env)).toEqual(["https://gateway.example.com"]);
    expect(() => findEndpointOrigins({ ANTHROPIC_BASE_URL: "gateway" })).toThrow(
      "ANTHROPIC_BASE_URL must be a URL",
    );
  });

  it("is told apart from one that somebody configured", async () => {
    const client = clientOf({ apiEndpoint: gateway });

    expect(await endpointsInUse(client, env)).toEqual([
      { provider: "gemini", endpoint: gateway, variable: "GOOGLE_GEMINI_BASE_URL" },
    ]);
    expect(await endpointsInUse(client, {})).toMatchObject([{ variable: null }]);
  });
});
