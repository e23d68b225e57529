import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { buildImage, factoryBase } from "./containerImage.ts";

/** What the orchestrator needs to reach it: a service binding, and its registration. */
export type FactoryRegistration = {
  /** The configuration that was written for this machine. */
  config: string;
  service: { binding: string; service: string; entrypoint: "FactoryContainers" };
  registered: { organization: string; factory: string; binding: string };
};

type DeclaredContainer = {
  image?: string;
  image_build_context?: string;
  image_vars?: Record<string, string>;
};

/**
 * Writes a factory's configuration for this machine, from its wrangler.jsonc: its containers are turned on, every
 * path is whole, and its secrets come from the `.dev.vars` beside it. Builds the image that its own is made from.
 */
export async function prepareFactory(
  state: string,
  given: string,
  cancelled: AbortSignal,
): Promise<FactoryRegistration> {
  const { experimental_readRawConfig: readRawConfig } = await import("wrangler");
  const { rawConfig } = readRawConfig({ config: given });
  const whole = (to: string | undefined) => path.resolve(path.dirname(given), to ?? ".");
  const name = rawConfig.name ?? "";
  const identity = identityOf(given, rawConfig.services ?? []);
  const declared: readonly DeclaredContainer[] = rawConfig.containers ?? [];
  const containers = declared.map((one) => ({
    ...one,
    image: whole(one.image),
    image_build_context: whole(one.image_build_context ?? path.dirname(one.image ?? "")),
  }));
  for (const base of new Set(declared.map((one) => one.image_vars?.BASE)))
    if (base !== undefined) await buildImage(factoryBase, cancelled, base);
  const written = {
    ...rawConfig,
    $schema: undefined,
    main: whole(rawConfig.main),
    containers,
    dev: { enable_containers: true },
  };
  const folder = path.join(state, `factory-${name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = path.join(folder, "wrangler.json");
  await writeFile(config, `${JSON.stringify(written, null, 2)}\n`, { mode: 0o600 });
  await copyFile(whole(".dev.vars"), path.join(folder, ".dev.vars")).catch(() => {});
  const binding = `FACTORY_${identity.factory.toUpperCase().replaceAll("-", "_")}`;
  return {
    config,
    service: { binding, service: name, entrypoint: "FactoryContainers" },
    registered: { ...identity, binding },
  };
}

/** Who the factory is stands in the props of the binding by which its containers ask. */
function identityOf(
  config: string,
  services: readonly { binding: string }[],
): { organization: string; factory: string } {
  const egress = services.find(({ binding }) => binding === "ORCHESTRATOR_EGRESS");
  const { organization, factory } = (Reflect.get(egress ?? {}, "props") ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof organization === "string" && typeof factory === "string")
    return { organization, factory };
  throw new Error(
    `${config} is not that of a factory with containers: it has no binding ORCHESTRATOR_EGRESS with "props".`,
  );
}
