import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl, RunControl } from "../fakes/fakeRuns.ts";
import type { Chance } from "../seededRandom.ts";
import { withRunner } from "./world.ts";

export type ScriptedRunner = {
  runner: FakeRunner;
  /** What its agent has said so far. */
  said: string[];
  /** The next piece of work of whoever is at work: the agent, or the runner of its patch. */
  work(): void;
};

/** A runner whose agent says some words a turn, for some turns, and leaves a patch. */
export function scriptedRunner(chance: Chance, turns: number): ScriptedRunner {
  const runner = withRunner();
  const said: string[] = [];
  let turnsLeft = turns;
  let agent: RunControl | null = null;
  let patch: PatchControl | null = null;
  runner.onRun = (control) => {
    agent = control;
  };
  runner.onPatch = (control) => {
    patch = control;
    if (chance.oneOf([true, false])) control.applied();
  };
  const work = () => {
    patch?.finish();
    if (agent === null || turnsLeft < 0) return;
    turnsLeft -= 1;
    for (let words = chance.between(0, 4); words > 0; words -= 1) {
      const text = `word ${said.length + 1}`;
      said.push(text);
      agent.emit({ type: "message", role: "assistant", text });
    }
    if (turnsLeft >= 0) return;
    said.push("Done.");
    agent.finish();
  };
  return { runner, said, work };
}
