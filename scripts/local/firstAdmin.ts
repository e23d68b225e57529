import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { mustRunWrangler } from "./wrangler.ts";

export type AdminRequest = {
  /** Which database: `--local --persist-to DIR`, or `--remote`. */
  database: readonly string[];
  config?: string;
  organization: string;
  principal: string;
  /** Where the statements are put for wrangler to read; only the hash of the token is in them. */
  sqlFile: string;
  force: boolean;
  cancelled?: AbortSignal;
};

export type AdminOutcome = { kind: "made"; token: string } | { kind: "there_already" };

const database = (request: AdminRequest, ...more: string[]) => [
  "d1",
  "execute",
  "switchyard",
  ...(request.config === undefined ? [] : ["--config", request.config]),
  ...request.database,
  "--yes",
  ...more,
];

/** Makes an organization and its first admin token. The token's value is in the answer and nowhere else. */
export async function makeFirstAdmin(request: AdminRequest): Promise<AdminOutcome> {
  refuseOddNames(request);
  if (!request.force && (await hasAdmin(request))) return { kind: "there_already" };
  const token = `swy_${randomBytes(32).toString("base64url")}`;
  await writeFile(request.sqlFile, statements(request, token), { mode: 0o600 });
  const write = database(request, "--file", request.sqlFile);
  await mustRunWrangler("Writing the admin token", write, request.cancelled);
  return { kind: "made", token };
}

function refuseOddNames({ organization, principal }: AdminRequest): void {
  if (!/^org_[A-Za-z0-9_-]{1,60}$/.test(organization))
    throw new Error("--organization must be org_ and letters, digits, dashes or underscores");
  if (!/^user:[A-Za-z0-9._@-]{1,100}$/.test(principal))
    throw new Error("--principal must be user: and a name");
}

async function hasAdmin(request: AdminRequest): Promise<boolean> {
  const query = `select count(*) as n from api_tokens where organization_id = '${request.organization}' and role = 'admin' and revoked_at_ms is null`;
  const printed = await mustRunWrangler(
    "Reading the tokens",
    database(request, "--json", "--command", query),
    request.cancelled,
  );
  const [result] = JSON.parse(printed.slice(printed.indexOf("["))) as {
    results: { n: number }[];
  }[];
  return (result?.results[0]?.n ?? 0) > 0;
}

function statements({ organization, principal }: AdminRequest, token: string): string {
  const sha256 = createHash("sha256").update(token).digest("hex");
  const id = `tok_${randomBytes(13).toString("hex")}`;
  const now = Date.now();
  return `insert or ignore into organizations (id, name, created_at_ms) values ('${organization}', '${organization}', ${now});
insert or ignore into principals (organization_id, id, created_at_ms) values ('${organization}', '${principal}', ${now});
insert into api_tokens (organization_id, id, principal_id, role, sha256, created_at_ms) values ('${organization}', '${id}', '${principal}', 'admin', '${sha256}', ${now});
insert into operation_logs (organization_id, subject_id, id, project_id, actor, action, message, at_ms, seq) select '${organization}', '${id}', 'log_${id}', '', 'system:bootstrap', 'token.created', 'The first admin token was made for ${principal}.', ${now}, coalesce(max(seq), 0) + 1 from operation_logs where organization_id = '${organization}' and project_id = '';
`;
}
