import { isFinalTask } from "../../../orchestrator/worker/domain/states.ts";
import { tick } from "../../../orchestrator/worker/entrypoints/cron.ts";
import { checkAtTheEnd } from "./atTheEnd.ts";
import { type Crowd, gatherCrowd } from "./crowd.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import { type Before, checkAlways, nothingBefore, remember, type Violation } from "./invariants.ts";
import { organizations, People, projectId } from "./people.ts";
import { pushAgainstDeliveries, pushNowAndThen } from "./pushes.ts";
import { tellChanges } from "./tellChanges.ts";
import { World, type WorldOptions } from "./world.ts";

export type HistoryResult = {
  seed: number;
  violations: Violation[];
  hash: string;
  tasks: number;
  awaits: number;
  steps: number;
  /** Events between the end of all faults and the last task's end. */
  stepsToConverge: number;
  injected: Record<FaultKind, number>;
  statuses: Record<string, number>;
  /** Of a crowded history: how many claims of the crowd came between the single task and its own. */
  claimsBefore: number;
  story: string[];
};

const minuteMs = 60_000;
/** After this time nothing waits any more: every expiry has passed. */
const endsAtMs = 80 * 60 * minuteMs;
const maxSteps = 400_000;

/** Plays one history from its seed to its end, and checks the invariants after every event. */
export class History {
  readonly world: World;
  readonly people: People;
  readonly #seed: number;
  #before: Before = nothingBefore();
  #seen = "";
  #violations: Violation[] = [];
  #isOver = false;
  #crowd: Crowd | null = null;

  constructor(options: WorldOptions) {
    this.#seed = options.seed;
    this.world = new World(options);
    this.people = new People(this.world);
    this.world.agents.onEnd = (taskId) => this.people.noticeEndOfRun(taskId);
  }

  async play(tasks: number, crowd = 0): Promise<HistoryResult> {
    const { world } = this;
    await this.#furnish();
    if (crowd > 0) this.#crowd = await gatherCrowd(world, crowd);
    else this.#submit(tasks);
    world.scheduleOutages();
    this.#startTicking();
    const convergedAfter = await this.#run();
    if (this.#violations.length === 0 && this.#crowd === null) await this.#endWell();
    return this.#result(convergedAfter);
  }

  async #furnish(): Promise<void> {
    const { stores } = this.world;
    for (const organizationId of organizations) {
      await stores.addOrganization(organizationId);
      for (const name of ["one", "two"]) await this.#makeProject(organizationId, name);
      await this.world.capProvider(organizationId);
    }
  }

  async #makeProject(organizationId: string, name: string): Promise<void> {
    const id = projectId(organizationId, name);
    await this.world.stores.projects.create(
      {
        organizationId,
        id,
        name,
        source: { kind: "local", path: `/repos/${organizationId}-${name}` },
        settings: { validation: this.world.validators.commands(), ...this.world.projectCap(id) },
        createdBy: "user:ada",
        createdAtMs: 0,
      },
      { actor: "user:ada", action: "project.created", message: "made" },
    );
  }

  #submit(tasks: number): void {
    const { chance } = this.world;
    for (let at = 0; at < tasks; at += 1) {
      const when = chance.below(15 * minuteMs);
      const who = chance.happens(0.6) ? organizations[0] : chance.pick(organizations);
      const project = chance.happens(0.7) ? "one" : "two";
      const orderId = chance.happens(0.4) ? "ORD-1" : null;
      this.people.submitAt(when, { organizationId: who, project, key: `key ${at}`, orderId });
    }
    if (this.world.strikes("poison"))
      this.world.timeline.at(chance.below(10 * minuteMs), () =>
        this.world.queues.post({ version: 2, surprise: true }),
      );
  }

  /** The cron tick, and people who attend; once faults are over both come less often, to save time. */
  #startTicking(): void {
    const { world } = this;
    const everyMs = world.isFaulty() ? minuteMs : 10 * minuteMs;
    world.timeline.after(everyMs, () => {
      if (this.#isOver) return;
      if (!world.strikes("tick_missed")) this.#tick();
      if (world.chance.happens(0.2)) void this.people.attend();
      pushNowAndThen(world);
      this.#startTicking();
    });
  }

  #tick(): void {
    const life = this.world.calls.newLife("cron");
    void tick(this.world.depsOf(life)).catch(() => {});
  }

  async #run(): Promise<number> {
    const { world } = this;
    let stepsWhenFaultsEnded = 0;
    for (;;) {
      await world.timeline.step();
      if (world.isFaulty()) stepsWhenFaultsEnded = world.timeline.steps;
      if (await this.#isOverNow()) return world.timeline.steps - stepsWhenFaultsEnded;
      if (world.nowMs > endsAtMs || world.timeline.steps > maxSteps)
        return Number.POSITIVE_INFINITY;
    }
  }

  /** At the first violation, when the single task of a crowd is served, or when nothing is left to happen. */
  async #isOverNow(): Promise<boolean> {
    if (this.#crowd !== null) return this.#crowd.isServed;
    await this.#check();
    return this.#violations.length > 0 || this.#isQuiet();
  }

  async #check(): Promise<void> {
    const { world } = this;
    const seen = `${world.stores.version()}.${world.agents.version}.${world.forge.version}.${this.people.leaks.length}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    const view = await world.stores.view();
    this.#violations = checkAlways(world, this.people, view, this.#before);
    const after = remember(view);
    this.people.noticeChanges(this.#before, after);
    pushAgainstDeliveries(world, this.#before, after);
    tellChanges(world, this.#before, after);
    this.#before = after;
  }

  /** Nothing is left to happen but what comes a day later. */
  async #isQuiet(): Promise<boolean> {
    const { world } = this;
    if (world.isFaulty() || world.queues.pending > 0 || this.people.areWaiting) return false;
    if (world.agents.alive().length > 0) return false;
    const { tasks, notices } = await world.stores.view();
    return (
      tasks.every(({ status }) => isFinalTask(status)) &&
      notices.every(({ status }) => status !== "pending") &&
      world.objects.areDone()
    );
  }

  async #endWell(): Promise<void> {
    this.#isOver = true;
    this.#violations = await checkAtTheEnd(this.world, this.people);
    if (this.#violations.length === 0) await this.#deliverAllAgain();
  }

  /** I14: every message and every alarm of the history once more changes no row. */
  async #deliverAllAgain(): Promise<void> {
    const { world } = this;
    const before = await world.stores.dump();
    let left = 1;
    void this.#again().finally(() => {
      left = 0;
    });
    while (left > 0 && (await world.timeline.step()));
    if ((await world.stores.dump()) !== before)
      this.#violations = [{ invariant: "I14", what: "a redelivery has changed a row" }];
  }

  async #again(): Promise<void> {
    const { world } = this;
    for (const delivered of [...world.queues.history]) await world.queues.deliverAgain(delivered);
    await world.objects.ringAllAlarms();
    await tick(world.depsOf(world.calls.newLife("cron")));
  }

  async #result(stepsToConverge: number): Promise<HistoryResult> {
    const { world } = this;
    const { tasks } = await world.stores.view();
    const statuses: Record<string, number> = {};
    for (const { status, outcome } of tasks) {
      const name = outcome === null ? status : `${status}:${outcome.code}`;
      statuses[name] = (statuses[name] ?? 0) + 1;
    }
    for (const { invariant, what } of this.#violations)
      world.trace.tell(world.nowMs, "✗ invariant", `${invariant}: ${what}`);
    return {
      seed: this.#seed,
      violations: this.#violations,
      hash: world.trace.hash(),
      tasks: tasks.length,
      awaits: world.calls.awaits,
      steps: world.timeline.steps,
      stepsToConverge,
      injected: injectedOf(world),
      statuses,
      claimsBefore: this.#crowd?.claimsBefore ?? 0,
      story: world.trace.lines,
    };
  }
}

const injectedOf = (world: World): Record<FaultKind, number> =>
  Object.fromEntries(faultKinds.map((kind) => [kind, world.injected.get(kind) ?? 0])) as Record<
    FaultKind,
    number
  >;
