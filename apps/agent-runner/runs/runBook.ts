import { join } from "node:path";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunStatus, StopReason } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Log } from "../log.ts";
import { openEventLog } from "./eventLog.ts";
import type { LiveRun, RunKind } from "./liveRun.ts";
import { readEvents } from "./readEvents.ts";
import {
  type EventSource,
  eventSourceOf,
  finish,
  type RunEntry,
  refuseStaleFence,
  statusOf,
  stopRun,
} from "./runEntry.ts";
import { createRunFiles, type RunFiles, type RunRecord } from "./runFiles.ts";
import { createStopSwitch } from "./stopSwitch.ts";

/** The runs of one kind: at most one live, the finished ones kept for whoever asks again. */
export type RunBook<Request> = {
  /** The same id is the same run, whatever became of it, also for a runner that was started anew. */
  put(id: string, fence: number, request: Request, boot?: string): Promise<RunStatus>;
  /** Whether the run has begun, whatever became of it. */
  knows(id: string): boolean;
  status(id: string): RunStatus;
  result(id: string): Promise<RunStatus & { report: unknown }>;
  cancel(id: string, fence: number, reason: StopReason): RunStatus;
  events(id: string): EventSource;
  /** Adds to the events of a live run what somebody else saw of it. */
  note(id: string, event: AgentEvent): Promise<void>;
  folder(id: string): string;
  live(): string | null;
  /** Stops the live run and waits until its report is on the disk; readers still get what is there. */
  shutDown(): Promise<void>;
  close(): Promise<void>;
};

export type RunBookDeps = {
  root: string;
  nowMs: () => number;
  log: Log;
  /** Which start of the runner this is; a run that was meant for an earlier one is not begun. */
  boot: string;
};

type Book<Request, Report> = {
  deps: RunBookDeps;
  kind: RunKind<Request, Report>;
  files: RunFiles;
  entries: Map<string, RunEntry>;
  /** Runs that were cancelled before they were known, the latest of them: a start that comes late is refused. */
  neverStart: Set<string>;
  /** The id that is being started or is live. */
  liveId: string | null;
  starting: Promise<RunStatus> | null;
  isEnding: boolean;
  /** Settles when every run is finished and all that follows from it is done. */
  atWork: Promise<unknown>;
};

export async function openRunBook<Request, Report>(
  deps: RunBookDeps,
  kind: RunKind<Request, Report>,
): Promise<RunBook<Request>> {
  const files = createRunFiles(deps.root);
  const entries = new Map<string, RunEntry>();
  const neverStart = new Set<string>();
  const idle = { liveId: null, starting: null, isEnding: false, atWork: Promise.resolve() };
  const book: Book<Request, Report> = { deps, kind, files, entries, neverStart, ...idle };
  for (const { record, isFinished } of await files.load()) {
    const entry = await openEntry(book, record);
    if (!isFinished) await reportInterrupted(book, entry, record);
    entries.set(record.id, entry);
  }
  const known = (id: string) => findEntry(book, id);
  return {
    put: (id, fence, request, boot) => put(book, { id, fence, boot }, request),
    knows: (id) => entries.has(id) || book.liveId === id,
    status: (id) => statusOf(known(id)),
    result: (id) => resultOf(book, known(id)),
    cancel: (id, fence, reason) => {
      if (!entries.has(id)) noteNeverStart(book, id);
      refuseStaleFence(known(id), fence);
      stopRun(known(id), reason);
      return statusOf(known(id));
    },
    events: (id) => eventSourceOf(known(id)),
    note: async (id, event) => {
      if (known(id).live !== null) await known(id).log.append(event);
    },
    folder: (id) => files.folder(known(id).id),
    live: () => book.liveId,
    shutDown: () => shutDown(book),
    close: async () => {
      for (const { log } of entries.values()) await log.close();
    },
  };
}

async function put<Request, Report>(
  book: Book<Request, Report>,
  { id, fence, boot }: { id: string; fence: number; boot: string | undefined },
  request: Request,
): Promise<RunStatus> {
  await book.starting?.catch(() => {});
  if (book.liveId === null) await book.atWork;
  const known = book.entries.get(id);
  if (known !== undefined) {
    refuseStaleFence(known, fence);
    return statusOf(known);
  }
  if (book.liveId === id && book.starting !== null) return book.starting;
  refuseCancelled(book, id);
  if (boot !== undefined && boot !== book.deps.boot)
    throw new SwitchyardError(
      "runner_unreachable",
      "The runner was started anew since; ask again.",
    );
  if (book.isEnding)
    throw new SwitchyardError("runner_unreachable", "The runner is about to end; start it anew.");
  if (book.liveId !== null)
    throw new SwitchyardError("busy", `The runner is at work on ${book.liveId}; ask again later.`);
  book.liveId = id;
  book.starting = start(book, id, fence, request);
  return book.starting;
}

function refuseCancelled<Request, Report>({ neverStart }: Book<Request, Report>, id: string): void {
  if (!neverStart.has(id)) return;
  throw new SwitchyardError("stale_fence", `${id} was cancelled before it was started.`);
}

const maxNeverStart = 1_000;

function noteNeverStart<Request, Report>({ neverStart }: Book<Request, Report>, id: string): void {
  neverStart.add(id);
  const [oldest] = neverStart;
  if (neverStart.size > maxNeverStart && oldest !== undefined) neverStart.delete(oldest);
}

async function start<Request, Report>(
  book: Book<Request, Report>,
  id: string,
  fence: number,
  request: Request,
): Promise<RunStatus> {
  try {
    const startedAtMs = book.deps.nowMs();
    const record = { id, fence, startedAtMs, about: book.kind.about(request) };
    await book.files.create(record);
    const entry = await openEntry(book, record);
    if (book.neverStart.has(id)) await forget(book, entry);
    refuseCancelled(book, id);
    book.entries.set(id, entry);
    begin(book, entry, request);
    return statusOf(entry);
  } catch (error) {
    book.liveId = null;
    throw error;
  }
}

function begin<Request, Report>(
  book: Book<Request, Report>,
  entry: RunEntry,
  request: Request,
): void {
  const stopSwitch = createStopSwitch();
  const folder = book.files.folder(entry.id);
  const run: LiveRun = { id: entry.id, fence: entry.fence, folder, log: entry.log, stopSwitch };
  entry.live = stopSwitch;
  book.atWork = drive(book, entry, run, request);
}

async function drive<Request, Report>(
  book: Book<Request, Report>,
  entry: RunEntry,
  run: LiveRun,
  request: Request,
): Promise<void> {
  const { kind, deps } = book;
  deps.log({ at: "run_started", id: run.id, fence: run.fence });
  const report = await kind.work(run, request).catch((error: unknown) => {
    deps.log({ at: "run_broke", id: run.id, error: nameOf(error) });
    return kind.failed(request, error);
  });
  run.stopSwitch.seal();
  await book.files.saveReport(run.id, report).catch((error: unknown) => {
    deps.log({ at: "report_not_saved", id: run.id, error: String(error) });
    entry.unsaved = { report };
  });
  book.liveId = null;
  finish(entry);
  deps.log({ at: "run_finished", id: run.id, events: entry.log.lastNumber() });
  kind.finished(run.id, request);
  await prune(book).catch((error: unknown) => deps.log({ at: "prune", error: String(error) }));
}

async function openEntry<Request, Report>(
  { files, deps }: Book<Request, Report>,
  { id, fence }: RunRecord,
): Promise<RunEntry> {
  const log = await openEventLog(join(files.folder(id), "events.ndjson"), deps.nowMs);
  return { id, fence, log, live: null, onFinish: new Set(), unsaved: null };
}

/** A run that was live when the runner died gets the end that it never came to. */
async function reportInterrupted<Request, Report>(
  book: Book<Request, Report>,
  entry: RunEntry,
  record: RunRecord,
): Promise<void> {
  await entry.log.append({
    type: "interrupted",
    reason: "the runner ended while the run was live",
  });
  const report = await book.kind.interrupted({
    id: record.id,
    about: record.about,
    startedAtMs: record.startedAtMs,
    folder: book.files.folder(record.id),
    events: readEvents(entry.log),
  });
  await book.files.saveReport(record.id, report);
  book.deps.log({ at: "run_interrupted", id: record.id });
}

async function resultOf<Request, Report>({ files }: Book<Request, Report>, entry: RunEntry) {
  if (entry.live !== null) return { ...statusOf(entry), report: null };
  const report = entry.unsaved ? entry.unsaved.report : await files.readReport(entry.id);
  return { ...statusOf(entry), report };
}

function findEntry<Request, Report>(book: Book<Request, Report>, id: string): RunEntry {
  const entry = book.entries.get(id);
  if (entry === undefined)
    throw new SwitchyardError("run_not_found", `This runner knows no run ${id}.`);
  return entry;
}

async function prune<Request, Report>(book: Book<Request, Report>): Promise<void> {
  const finished = [...book.entries.values()].filter(({ live }) => live === null);
  for (const entry of finished.slice(0, Math.max(0, finished.length - book.kind.keep))) {
    await forget(book, entry);
  }
}

async function forget<Request, Report>(
  { entries, files }: Book<Request, Report>,
  { id, log }: RunEntry,
): Promise<void> {
  entries.delete(id);
  await log.close();
  await files.remove(id);
}

async function shutDown<Request, Report>(book: Book<Request, Report>): Promise<void> {
  book.isEnding = true;
  await book.starting?.catch(() => {});
  for (const entry of book.entries.values()) stopRun(entry, "shutdown");
  await book.atWork;
}

/** An error's text may quote what the run keeps secret; its name does not. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
