import { execFileSync } from "node:child_process";
import path from "node:path";
import { buildImage, images, projectFolder, whyNoDocker } from "./docker.ts";

/** Builds what the tests run. On a machine without Docker there is nothing to test, and that is said. */
export default function setup(): () => void {
  const reason = whyNoDocker();
  if (reason !== null)
    throw new Error(
      `The tests in containers need Docker: ${reason}. On a Debian machine without an image registry, run as ` +
        "root:  . <(test/containers/offline/up.sh)",
    );
  buildImage(images.base, "factory-base.Dockerfile");
  buildImage(images.factory, "apps/agent-factory/Dockerfile", { args: [`BASE=${images.base}`] });
  buildImage(images.malicious, "test/containers/malicious/Dockerfile", {
    args: [`BASE=${images.base}`],
    context: path.join(projectFolder, "test/containers/malicious"),
  });
  return removeLeftSidecars;
}

/** `wrangler dev` leaves the network sidecar of a container behind when it ends. */
function removeLeftSidecars(): void {
  const docker = (...args: string[]) => execFileSync("docker", args, { encoding: "utf8" });
  const names = new Set(docker("ps", "--all", "--format", "{{.Names}}").split("\n"));
  const left = [...names].filter(
    (name) => /AgentContainer-.*-proxy$/.test(name) && !names.has(name.replace(/-proxy$/, "")),
  );
  if (left.length > 0) docker("rm", "--force", ...left);
}
