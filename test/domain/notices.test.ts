import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NoticeStore } from "../../orchestrator/worker/domain/ports/noticeStore.ts";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import type { Notice } from "../../orchestrator/worker/domain/task.ts";
import {
  sendDueNotices,
  sendNotices,
} from "../../orchestrator/worker/services/notices/sendNotices.ts";
import { signedCallbacks } from "../../orchestrator/worker/services/notices/webhook/signedCallback.ts";
import { aNotice, aTask } from "../builders.ts";

const callback = aNotice(aTask(), {
  id: "ntc_1",
  channel: "callback",
  target: "https://example.com/hook",
});
const clock = { nowMs: () => 1_614_265_330_000 };
const silent = { info() {}, warn() {}, error() {} };

let sent: Request[];
let answer: () => Response;

beforeEach(() => {
  sent = [];
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    sent.push(new Request(input, init));
    return answer();
  });
});
afterEach(() => vi.restoreAllMocks());

describe("a signed callback", () => {
  // The example of the Standard Webhooks specification, spec/standard-webhooks.md.
  const secret = new Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

  it("carries an id, a time and a signature that a receiver can check", async () => {
    await signedCallbacks(secret, clock).send(callback);

    const [request] = sent;
    const body = (await request?.text()) ?? "";
    const key = await crypto.subtle.importKey(
      "raw",
      Uint8Array.from(atob("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), (c) => c.charCodeAt(0)),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["verify"],
    );
    const signature = request?.headers.get("webhook-signature")?.replace(/^v1,/, "") ?? "";
    const signed = new TextEncoder().encode(`ntc_1.1614265330.${body}`);
    const bytes = Uint8Array.from(atob(signature), (c) => c.charCodeAt(0));
    expect(await crypto.subtle.verify("HMAC", key, bytes, signed)).toBe(true);
    expect(request?.headers.get("webhook-id")).toBe("ntc_1");
    expect(request?.headers.get("webhook-timestamp")).toBe("1614265330");
    expect(JSON.parse(body)).toMatchObject({
      type: "task.completed",
      data: { taskId: "task_1", outcome: { code: "delivered" } },
    });
  });

  it.each([301, 400, 500])("that is answered with %i is not delivered", async (status) => {
    answer = () => new Response(null, { status });
    expect(await signedCallbacks(secret, clock).send(callback)).toMatchObject({ kind: "failed" });
    expect(sent[0]?.redirect).toBe("manual");
  });

  it("without a secret is not sent at all", async () => {
    expect(await signedCallbacks(null, clock).send(callback)).toMatchObject({ kind: "failed" });
    expect(sent).toEqual([]);
  });
});

describe("sending notices", () => {
  const calls: string[] = [];
  const store = (due: Notice[]): NoticeStore => ({
    due: async () => due,
    markSent: async (_organization, id) => {
      calls.push(`sent ${id}`);
    },
    postpone: async (_organization, id, attempts, nextAtMs) => {
      calls.push(
        `postponed ${id} after ${attempts}, next ${nextAtMs === null ? "never" : nextAtMs - clock.nowMs()}`,
      );
    },
    inbox: async () => [],
  });
  const deps = (
    due: Notice[],
    result: { kind: "delivered" } | { kind: "failed"; because: string },
  ) => ({
    notices: store(due),
    callbacks: { send: async () => result },
    clock,
    log: silent,
  });

  beforeEach(() => {
    calls.length = 0;
  });

  it("marks what was delivered", async () => {
    await sendDueNotices(deps([callback], { kind: "delivered" }));
    expect(calls).toEqual(["sent ntc_1"]);
  });

  it("tries again later, and gives up after the sixth time", async () => {
    const failed = { kind: "failed", because: "down" } as const;
    await sendDueNotices(deps([callback], failed));
    await sendDueNotices(deps([{ ...callback, attempts: 5 }], failed));
    expect(calls).toEqual([
      "postponed ntc_1 after 1, next 5000",
      "postponed ntc_1 after 6, next never",
    ]);
  });

  it("leaves the inbox alone: being written is being delivered", async () => {
    await sendNotices(deps([], { kind: "delivered" }), [aNotice(aTask())]);
    expect(calls).toEqual([]);
  });

  it("goes on with the next one when the store fails", async () => {
    const broken = deps([callback, { ...callback, id: "ntc_2" }], { kind: "delivered" });
    broken.notices.markSent = async (_organization, id) => {
      calls.push(`tried ${id}`);
      throw new Error("D1 is away");
    };
    await sendDueNotices(broken);
    expect(calls).toEqual(["tried ntc_1", "tried ntc_2"]);
  });
});
