export type ModelServer = {
  /** Where it listens; a scenario is chosen by the path /s/<scenario>. */
  url: string;
  /** What it was asked, the newest last. */
  requests: {
    path: string;
    scenario?: string;
    played?: string;
    agent?: string;
    /** By header, the last four letters of what was shown. */
    credential?: Record<string, string>;
  }[];
  close(): Promise<void>;
};

export function startModelServer(options?: {
  port?: number;
  scenario?: string;
  log?: string;
  bodies?: string;
  cwd?: string;
}): Promise<ModelServer>;

export function makeRepo(folder: string): void;
