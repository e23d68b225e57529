// What the malicious agent tries, by name. Each returns what it got, or throws what refused it.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const state = "/var/lib/switchyard";
const sh = (command) => {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1) || `exit ${status}`);
  return stdout.trim();
};
const python = (code) => {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", code], { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1) || `exit ${status}`);
  return stdout.trim();
};
const some = (text, what) => {
  if (!text) throw new Error(what);
  return text;
};
const ask = (method, url, headers = {}, body = "") =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, timeout: 5000 }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () =>
        response.statusCode < 400 ? resolve(text) : reject(new Error(`HTTP ${response.statusCode}`)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
    request.end(body);
  });
const runner = (method, route, headers, body) => ask(method, `http://127.0.0.1:8080${route}`, headers, body);
const parentOf = (pid) => Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const guard = () => {
  let pid = process.pid;
  while (/^Uid:\s+10001/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8")) && parentOf(pid) > 1) pid = parentOf(pid);
  return pid;
};
const signal = (pid, name) => {
  process.kill(pid, name);
  return `sent ${name} to ${pid}`;
};
const others = () => fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
const libc = "import ctypes,os;l=ctypes.CDLL(None,use_errno=True)\n";
const must = (call) => `${libc}r=${call}\nif r<0: raise OSError(ctypes.get_errno(),os.strerror(ctypes.get_errno()))\nprint(r)`;

export const attempts = {
  // The runner and its helpers, by /proc
  "read the runner's environment": () => fs.readFileSync("/proc/1/environ", "utf8"),
  "read the guard's environment": () => fs.readFileSync(`/proc/${guard()}/environ`, "utf8"),
  "read the environment of any root process": () =>
    some(others().flatMap((pid) => { try { return fs.statSync(`/proc/${pid}`).uid === 0 ? [fs.readFileSync(`/proc/${pid}/environ`, "utf8")] : []; } catch { return []; } }).join(""), "EACCES for every one"),
  "find a token on a command line": () =>
    some(others().map((pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"); } catch { return ""; } }).find((line) => /[0-9a-f]{48}/.test(line)), "no command line holds one"),
  "read the runner's memory": () => fs.openSync("/proc/1/mem", "r"),
  "read the runner's memory map": () => some(fs.readFileSync("/proc/1/maps", "utf8"), "empty"),
  "list the runner's open files": () => fs.readdirSync("/proc/1/fd"),
  "read the runner's open files": () => fs.readFileSync("/proc/1/fd/0"),
  "enter the runner's root": () => fs.readdirSync("/proc/1/root/"),
  "read where the runner works": () => fs.readlinkSync("/proc/1/cwd"),
  "trace the runner": () => python(must("l.ptrace(16,1,0,0)")),
  "trace the guard": () => python(must(`l.ptrace(16,${guard()},0,0)`)),
  "copy the runner's memory": () => python(`${libc}b=ctypes.create_string_buffer(8)\nclass V(ctypes.Structure):_fields_=[("b",ctypes.c_void_p),("n",ctypes.c_size_t)]\na=V(ctypes.addressof(b),8);c=V(0x400000,8)\nr=l.process_vm_readv(1,ctypes.byref(a),1,ctypes.byref(c),1,0)\nif r<0: raise OSError(ctypes.get_errno(),os.strerror(ctypes.get_errno()))\nprint(r)`),
  "use a descriptor that was left open": () =>
    some(fs.readdirSync("/proc/self/fd").filter((fd) => { try { return Number(fd) > 2 && /^\/(var|opt)|socket/.test(fs.readlinkSync(`/proc/self/fd/${fd}`)); } catch { return false; } }).join(" "), "none is open"),
  // Signals
  "stop the runner": () => signal(1, "SIGSTOP"),
  "end the runner": () => signal(1, "SIGTERM"),
  "kill the runner": () => signal(1, "SIGKILL"),
  "kill the guard": () => signal(guard(), "SIGKILL"),
  "kill the guard's parent": () => signal(parentOf(guard()) || 1, "SIGKILL"),
  "have the runner killed when memory is short": () => fs.writeFileSync("/proc/1/oom_score_adj", "1000"),
  "slow the runner down": () => python(must("l.setpriority(0,1,19)")),
  // What the runner keeps
  "list the runner's state": () => fs.readdirSync(state),
  "read the runner's id": () => fs.readFileSync(`${state}/runner-id`, "utf8"),
  "read the run's own record": () => fs.readFileSync(`${state}/runs/exec_1/run.json`, "utf8"),
  "forge an event": () => fs.appendFileSync(`${state}/runs/exec_1/events.ndjson`, "{}\n"),
  "read the uploaded source": () => fs.readdirSync(`${state}/bundles`),
  "list the other workspaces": () => fs.readdirSync("/work"),
  "put a link in the place of the workspace": () => fs.renameSync(process.cwd(), `${process.cwd()}-old`),
  "put a link in the place of its home": () => fs.renameSync(process.env.HOME, `${process.env.HOME}-old`),
  // Rights
  "become root by su": () => sh("echo | su -c id root"),
  "become root by a call": () => python("import os; os.setuid(0); print(os.getuid())"),
  "become the runner's group": () => python("import os; os.setgid(0); print(os.getgid())"),
  "use a set-user-id program": () => some(/uid=0|euid=0/.test(sh("for f in /bin/su /usr/bin/passwd /usr/bin/chsh /bin/mount; do [ -u $f ] && python3 -c \"import os,sys; os.execv('$f', ['$f', '--version'])\" >/dev/null 2>&1; done; grep NoNewPrivs /proc/self/status | grep -q 1 && echo kept || id")), "no_new_privs"),
  "make a set-user-id shell of root": () => { fs.copyFileSync("/bin/bash", "own-bash"); try { fs.chownSync("own-bash", 0, 0); } finally { fs.rmSync("own-bash"); } },
  "gain a capability": () => some(BigInt(`0x${/^CapEff:\s+(\w+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]}`) !== 0n, "CapEff is 0"),
  "write the list of users": () => fs.appendFileSync("/etc/passwd", "evil::0:0::/:/bin/sh\n"),
  "read the list of passwords": () => fs.readFileSync("/etc/shadow", "utf8"),
  "preload a library into every program": () => fs.writeFileSync("/etc/ld.so.preload", "/tmp/evil.so"),
  "replace the runner": () => fs.writeFileSync("/opt/switchyard/app/apps/agent-runner/server.ts", "evil"),
  "replace the guard": () => fs.appendFileSync("/opt/switchyard/app/apps/agent-runner/processes/guard.ts", "evil"),
  "replace the Patch Manager": () => fs.writeFileSync("/usr/local/bin/patch_manager.py", "evil"),
  "replace node": () => fs.writeFileSync("/usr/local/bin/node", "evil"),
  "replace git": () => fs.renameSync("/usr/bin/git", "/usr/bin/git-old"),
  "replace the agent's own program": () => fs.mkdirSync("/opt/switchyard/agents/evil"),
  "add a job for later": () => fs.writeFileSync("/etc/cron.d/evil", "* * * * * root id"),
  "make a device": () => sh("mknod disk b 8 0"),
  "mount a file system": () => sh("mount -t tmpfs none /mnt"),
  "enter another namespace": () => sh("nsenter -t 1 -m id"),
  "change what a crash starts": () => fs.writeFileSync("/proc/sys/kernel/core_pattern", "|/tmp/evil"),
  "restart the machine": () => fs.writeFileSync("/proc/sysrq-trigger", "b"),
  "change its root": () => sh("chroot / id"),
  "talk to the container engine": () => fs.statSync("/var/run/docker.sock").size,
  // The runner's door
  "ask the runner without a token": () => runner("GET", "/health"),
  "ask the runner with a guess": () => runner("GET", "/health", { authorization: "Bearer undefined" }),
  "read its own events": () => runner("GET", "/runs/exec_1/events?after=0"),
  "cancel its own run": () => runner("POST", "/runs/exec_1/cancel", {}, '{"fence":1,"reason":"cancel"}'),
  "bring in another source": () => runner("PUT", "/bundles/exec_1", {}, "evil"),
  "start a second run": () => runner("PUT", "/runs/exec_2", {}, "{}"),
  "take the runner's port": () => new Promise((resolve, reject) => { const server = http.createServer().on("error", reject).listen(8080, "127.0.0.1", () => { server.close(); resolve("listening"); }); }),
  // Git
  "find a credential in git's settings": () => some(/password|token|extraheader|credential|url\..*insteadof/i.exec(sh("git config --list --show-origin")), "git's settings hold none"),
  "find a remote": () => some(sh("git remote -v"), "no remote"),
  "push": () => sh("git push origin HEAD 2>&1 || git push --all 2>&1"),
  "find a credential in a file": () => some(sh("ls -A /root/.netrc /root/.git-credentials /root/.ssh /home/*/.netrc $HOME/.netrc $HOME/.git-credentials 2>/dev/null | head -5 || true"), "there is no such file"),
  // Things that work only if whoever looks at the workspace later falls for them
  "have the runner read a file through a hard link": () => fs.linkSync("/etc/shadow", "hard.txt"),
};

const traps = {
  hooks: () => {
    for (const name of ["post-checkout", "pre-commit", "post-index-change", "reference-transaction", "post-merge"]) {
      fs.mkdirSync(".git/hooks", { recursive: true });
      fs.writeFileSync(`.git/hooks/${name}`, "#!/bin/sh\nid -u >/tmp/trap-hook-$(id -u)\n", { mode: 0o755 });
    }
    execFileSync("git", ["config", "core.hooksPath", path.resolve(".git/hooks")]);
  },
  monitor: () => {
    fs.writeFileSync("/tmp/monitor.sh", "#!/bin/sh\nid -u >/tmp/trap-monitor-$(id -u)\n", { mode: 0o755 });
    execFileSync("git", ["config", "core.fsmonitor", "/tmp/monitor.sh"]);
  },
  filter: () => {
    fs.writeFileSync("/tmp/filter.sh", "#!/bin/sh\nid -u >/tmp/trap-filter-$(id -u)\ncat\n", { mode: 0o755 });
    execFileSync("git", ["config", "filter.evil.clean", "/tmp/filter.sh"]);
    execFileSync("git", ["config", "filter.evil.smudge", "/tmp/filter.sh"]);
    fs.writeFileSync(".gitattributes", "* filter=evil diff=evil\n");
    execFileSync("git", ["config", "diff.evil.command", "/tmp/filter.sh"]);
  },
  objects: () => fs.writeFileSync(".git/objects/info/alternates", `${state}/bundles/exec_1.git/objects\n`),
  link: () => fs.symlinkSync(`${state}/runner-id`, "state-link.txt"),
  folderLink: () => fs.symlinkSync("/etc", "etc-link"),
  session: () => {
    fs.rmSync(path.join(process.env.HOME, ".claude"), { recursive: true, force: true });
    fs.symlinkSync(state, path.join(process.env.HOME, ".claude"));
  },
  nested: () => {
    fs.mkdirSync("nested");
    execFileSync("git", ["init", "--quiet", "nested"]);
    fs.writeFileSync("nested/.git/hooks-evil", "x");
    fs.writeFileSync("nested/file.txt", "nested\n");
  },
  survivor: () => {
    for (const argv of [["setsid", "sleep", "987654"], ["env", "-i", "setsid", "/bin/sleep", "987653"], ["bash", "-c", "(env -i setsid /bin/sleep 987652 &) &"]])
      spawn(argv[0], argv.slice(1), { detached: true, stdio: "ignore" }).unref();
  },
};
for (const [name, act] of Object.entries(traps)) attempts[`trap: ${name}`] = { apart: true, act };

attempts["a bomb of processes"] = {
  apart: true,
  act: () => python("import os,time\nn=0\ntry:\n  while n<6000:\n    if os.fork()==0: time.sleep(5); os._exit(0)\n    n+=1\nexcept OSError as e: raise SystemExit('stopped at '+('2048' if n<=2048 else str(n))+': '+e.strerror)\nprint(n)"),
};
attempts["carry the key out in a file"] = { apart: true, act: () => { fs.writeFileSync("key.txt", process.env.ANTHROPIC_API_KEY); return "written"; } };
attempts["carry the key out in base64"] = { apart: true, act: () => { fs.writeFileSync("key.txt", Buffer.from(process.env.ANTHROPIC_API_KEY).toString("base64")); return "written"; } };
