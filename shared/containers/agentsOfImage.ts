import { z } from "zod";
import { agentPins, isPinned } from "../agentPins.ts";

/**
 * The agents of an image by name, with their versions, as the var `CONTAINER_AGENTS` says it: a JSON list of names, one
 * without a pin as `name@version`. Without the var the image has every agent that is pinned.
 */
export const agentsOfImage = z
  .array(z.string())
  .default(Object.keys(agentPins))
  .transform((names, context) =>
    Object.fromEntries(
      names.map((text) => {
        const [name = "", version = isPinned(name) ? agentPins[name] : ""] = text.split("@");
        if (name === "" || version === "")
          context.addIssue(
            `must name "${text}" with its version, since it has no pin: name@version`,
          );
        return [name, version];
      }),
    ),
  );
