import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { RunUser } from "./runUser.ts";

/**
 * By what processes of a run are found again, whatever group or session they moved to: variables and, where runs
 * have a user of their own, that user.
 */
export type RunMarkers = { runnerId: string; executionId: string; user?: RunUser | null };

/** The node that runs the runner comes first, so that an agent's `node` is one that is there. */
export const systemPath = [
  dirname(process.execPath),
  "/usr/local/bin",
  "/usr/bin",
  "/bin",
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  ...(process.platform === "darwin" ? ["/opt/homebrew/bin"] : []),
].join(":");

export const runnerMarker = (runnerId: string): string => `SWITCHYARD_RUNNER=${runnerId}`;

export const runMarkers = ({ runnerId, executionId }: RunMarkers): string[] => [
  runnerMarker(runnerId),
  `SWITCHYARD_EXECUTION=${executionId}`,
];

/** All that a command of a run gets to see of this machine; nothing is inherited. */
export function runEnvironment(
  markers: RunMarkers,
  place: { home: string; temporary: string },
): Record<string, string> {
  return {
    ...trustOfGuard(),
    PATH: systemPath,
    HOME: place.home,
    TMPDIR: place.temporary,
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    SWITCHYARD_RUNNER: markers.runnerId,
    SWITCHYARD_EXECUTION: markers.executionId,
  };
}

/** Whoever guards a container's network shows certificates of its own; this file is there where one does. */
const guardCertificates = "/etc/cloudflare/certs/cloudflare-containers-ca.crt";

const trustOfGuard = (): Record<string, string> =>
  existsSync(guardCertificates)
    ? Object.fromEntries(trustVariables.map((name) => [name, guardCertificates]))
    : {};

const trustVariables = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
];

const reserved =
  /^(PATH|HOME|TMPDIR|SHELL|NODE_OPTIONS|NODE_PATH|BASH_ENV|ENV|PYTHON(PATH|STARTUP|HOME)|(LD|DYLD|GIT|SWITCHYARD)_.*)$/;

/** Names that decide what gets executed, or that the runner itself relies on: no secret may go by one. */
export const isReservedVariable = (name: string): boolean => reserved.test(name);
