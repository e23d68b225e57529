import path from "node:path";
import { buildImage, images, projectFolder, whyNoDocker } from "./docker.ts";

/** Builds what the tests run. On a machine without Docker there is nothing to test, and that is said. */
export default function setup(): void {
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
}
