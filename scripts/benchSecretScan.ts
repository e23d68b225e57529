/** `npm run bench:secrets`: the figures of the secret scan in docs/performance.md. `--json` for a machine. */
import { measureSecretScan } from "./bench/secretScan.ts";

const { samples, found, files, megabytes, findings, megabytesPerSecond } = measureSecretScan();

if (process.argv.includes("--json"))
  console.log(JSON.stringify({ samples, found, files, megabytes, findings, megabytesPerSecond }));
else {
  const recall = ((100 * found) / samples).toFixed(1);
  const perMegabyte = (findings / megabytes).toFixed(2);
  console.log(`recall            ${found} of ${samples} samples (${recall} %, goal 95 %)`);
  console.log(
    `findings          ${findings} in ${files} files of node_modules, ${megabytes.toFixed(1)} MB`,
  );
  console.log(`                  ${perMegabyte} per MB (goal at most 1)`);
  console.log(`speed             ${megabytesPerSecond.toFixed(0)} MB/s (goal at least 5)`);
}
