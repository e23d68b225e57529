/**
 * Ends a supervisor's object in the middle of its work. Every call that it makes to something outside (database,
 * files, queue, runner) is a place to crash at, before the call and after its answer: between the two something has
 * happened that the object does not know of.
 */
const objects = new Map<string, DurableObjectState>();
let victim = { id: "", placesLeft: 0 };
let crashes = 0;

export const registerObject = (ctx: DurableObjectState): void => {
  objects.set(ctx.id.toString(), ctx);
};

/** The object crashes at its n-th place from now on; 0 = it is left in peace. */
export const crashAt = (id: DurableObjectId, place: number): void => {
  victim = { id: id.toString(), placesLeft: place };
};

/** How often any object has crashed. */
export const countCrashes = (): number => crashes;

/** A place to crash at. Nothing after it happens in an object that did. */
export function crashPlace(id: DurableObjectId): void {
  if (victim.id !== id.toString() || victim.placesLeft === 0) return;
  victim.placesLeft -= 1;
  if (victim.placesLeft > 0) return;
  crashes += 1;
  objects.get(victim.id)?.abort("a test has this object crash here");
}

/** The bindings of an object, with a place to crash at around every call. */
export function withCrashPoints(ctx: DurableObjectState, env: WorkerEnv): WorkerEnv {
  return {
    ...env,
    DB: around(ctx.id, env.DB),
    ARTIFACTS: around(ctx.id, env.ARTIFACTS),
    TASK_QUEUE: around(ctx.id, env.TASK_QUEUE),
  };
}

/** What only prepares a call; the statement that it makes is one to watch in its turn. */
const preparing: readonly PropertyKey[] = ["prepare", "bind"];

function around<T extends object>(id: DurableObjectId, real: T): T {
  return new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (preparing.includes(name))
        return (...input: unknown[]) => around(id, member.apply(target, input));
      return async (...input: unknown[]) => {
        crashPlace(id);
        const answer: unknown = await member.apply(target, input);
        crashPlace(id);
        return answer;
      };
    },
  });
}
