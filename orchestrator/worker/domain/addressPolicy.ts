/** Which addresses from outside may be called at all. Judged after parsing, since a URL has many spellings. */
export type AddressVerdict = { kind: "allowed" } | { kind: "refused"; because: string };

const refused = (because: string): AddressVerdict => ({ kind: "refused", because });

/** Where signed notices of a task may go: public https addresses; in local mode also this machine. */
export function judgeCallback(url: string, localMode: boolean): AddressVerdict {
  const parsed = parse(url);
  if (parsed === null) return refused("it is not an address");
  if (parsed.username !== "" || parsed.password !== "")
    return refused("it must not carry a user name or a password");
  if (localMode && isLoopback(parsed.hostname)) return { kind: "allowed" };
  if (parsed.protocol !== "https:") return refused("it must begin with https://");
  if (parsed.port !== "") return refused("it must use the usual https port");
  if (!isPublicName(parsed.hostname)) return refused("its host is not a public name");
  return { kind: "allowed" };
}

/** Which model services may be named in a provider's configuration. `allowed` holds origins. */
export function judgeEndpoint(
  url: string,
  allowed: readonly string[],
  localMode: boolean,
): AddressVerdict {
  const parsed = parse(url);
  if (parsed === null) return refused("it is not an address");
  if (parsed.username !== "" || parsed.password !== "")
    return refused("it must not carry a user name or a password");
  if (localMode && isLoopback(parsed.hostname)) return { kind: "allowed" };
  if (allowed.includes(parsed.origin)) return { kind: "allowed" };
  return refused(`${parsed.origin} is not in ALLOWED_ENDPOINTS`);
}

function parse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

const isLoopback = (hostname: string) => ["127.0.0.1", "localhost", "[::1]"].includes(hostname);

const privateSuffixes = [".localhost", ".local", ".internal", ".lan", ".home", ".corp", ".arpa"];

/** A dotted name whose last label is letters: no IP literal in any spelling (the URL parser has unified them). */
function isPublicName(hostname: string): boolean {
  const name = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(name)) return false;
  return !privateSuffixes.some((suffix) => name.endsWith(suffix));
}
