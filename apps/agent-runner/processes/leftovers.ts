import { SwitchyardError } from "../../../shared/errors.ts";
import { type RunMarkers, runMarkers } from "./environment.ts";
import { endMarked } from "./reaper.ts";

/** Ends every process of a run, or says which ones would not end. */
export async function endLeftovers(markers: RunMarkers): Promise<void> {
  const outcome = await endMarked(runMarkers(markers), { user: markers.user ?? null });
  if (outcome.kind === "clean") return;
  throw new SwitchyardError(
    "internal",
    `Processes of the run would not end: ${outcome.pids.join(", ")}. End them by hand.`,
  );
}
