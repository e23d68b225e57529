import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { scanText } from "../../shared/secretScan/scanText.ts";
import { secretSamples } from "../../test/patch/secretSamples.ts";

export type SecretScanFigures = {
  samples: number;
  found: number;
  /** Of the sources in node_modules. */
  files: number;
  megabytes: number;
  findings: number;
  megabytesPerSecond: number;
};

const isSource = (name: string) => /\.(?:[cm]?[jt]sx?|json|md|ya?ml|css|html)$/.test(name);
const largestBytes = 3_000_000;

/** Whether the secret scan finds what it should, what else it finds in much foreign code, and how fast it is. */
export function measureSecretScan(): SecretScanFigures {
  const samples = [1, 2, 3, 4, 5].flatMap((seed) => secretSamples(seed));
  const found = samples.filter(({ rule, text }) =>
    scanText(text).some((finding) => finding.rule === rule),
  );
  const sources = sourcesBelow(path.join(import.meta.dirname, "../../node_modules"));
  const bytes = sources.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const startedAt = performance.now();
  const findings = sources.reduce((sum, text) => sum + scanText(text).length, 0);
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    samples: samples.length,
    found: found.length,
    files: sources.length,
    megabytes: bytes / 1e6,
    findings,
    megabytesPerSecond: bytes / 1e6 / seconds,
  };
}

const sourcesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isSource(entry.name))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
    .filter((text) => text.length < largestBytes);
