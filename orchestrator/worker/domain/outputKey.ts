/** Where the whole output of a command lies: below its task, beside the transcript; `run` is that of its verdict. */
export const outputKey = (
  { organizationId, taskId }: { organizationId: string; taskId: string },
  run: string,
  command: number,
): string => `${organizationId}/${taskId}/validation/${run}/${command}.txt`;
