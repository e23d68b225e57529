/** Finds a tool of the CLI that can do an action, and fills in its parameters by its own schema. */
const TOOL_NAMES = {
  read: ["Read", "read_file", "read", "view"],
  edit: ["Edit", "replace", "edit", "str_replace"],
  write: ["Write", "write_file", "write", "create"],
  shell: ["Bash", "run_shell_command", "bash", "exec_command", "shell_command", "shell", "local_shell"],
  patch: ["apply_patch"],
};
const PARAM_NAMES = {
  file: ["file_path", "filePath", "path", "absolute_path"],
  from: ["old_string", "oldString", "old_str"],
  to: ["new_string", "newString", "new_str"],
  content: ["content", "file_text", "contents"],
  command: ["command", "cmd"],
  patch: ["input", "patchText", "patch"],
};

/**
 * Codex "code mode" (its newer default models) offers one freeform tool, `exec`, whose input is JavaScript
 * that calls the real tools: tools.exec_command({cmd}) and tools.apply_patch(text).
 */
const isCodeMode = (t) => t.name === "exec" && t.freeform;
const codeModeScript = (action) =>
  action.do === "shell"
    ? `const r = await tools.exec_command({ cmd: ${JSON.stringify(action.command)}, yield_time_ms: 30000 });\ntext(r.output ?? r);`
    : action.do === "patch"
      ? `text(await tools.apply_patch(${JSON.stringify(action.patch)}));`
      : `text(await tools.no_such_tool({}));`;

export const findTool = (tools, action) =>
  tools.find((t) => (TOOL_NAMES[action] ?? []).includes(t.name)) ?? (action === "shell" || action === "patch" ? tools.find(isCodeMode) : undefined);

export function toCall(action, tools) {
  const tool = findTool(tools, action.do) ?? tools.find(isCodeMode);
  if (tool && isCodeMode(tool)) return { name: tool.name, freeform: true, namespace: tool.namespace, text: codeModeScript(action) };
  if (!tool) return { name: "no_such_tool", args: { reason: `no tool for ${action.do}` } };
  if (tool.freeform) return { name: tool.name, freeform: true, namespace: tool.namespace, text: action.patch ?? "" };
  const props = tool.schema?.properties ?? {};
  const args = {};
  for (const [key, value] of Object.entries(action)) {
    if (key === "do") continue;
    const name = (PARAM_NAMES[key] ?? []).find((n) => n in props) ?? (PARAM_NAMES[key] ?? [key])[0];
    // A shell tool that takes argv instead of a command line gets a bash -lc argv.
    args[name] = key === "command" && props[name]?.type === "array" ? ["bash", "-lc", value] : value;
  }
  for (const name of tool.schema?.required ?? []) {
    if (name in args) continue;
    const type = props[name]?.type;
    args[name] = props[name]?.enum?.[0] ?? (type === "boolean" ? false : type === "number" || type === "integer" ? 1 : type === "array" ? [] : "scripted");
  }
  return { name: tool.name, namespace: tool.namespace, args };
}
