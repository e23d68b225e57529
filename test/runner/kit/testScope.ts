import { AsyncLocalStorage } from "node:async_hooks";
import { onTestFinished, type TestContext } from "vitest";

const scope = new AsyncLocalStorage<TestContext>();

/** For a test that runs beside others: what it opens is closed when it ends itself. */
export const inScope = (context: TestContext, test: () => Promise<void>): Promise<void> =>
  scope.run(context, test);

/** Vitest's own, for tests that run at the same time as well. */
export function onFinished(clean: () => unknown): void {
  const context = scope.getStore();
  if (context === undefined) onTestFinished(async () => void (await clean()));
  else context.onTestFinished(async () => void (await clean()));
}
