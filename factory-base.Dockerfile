# The image that agents work in: the runner as root, the coding agents as a user of their own.
#
#   docker build -f factory-base.Dockerfile -t switchyard/factory-base .
#   docker build -f factory-base.Dockerfile --build-arg AGENTS="gemini" -t switchyard/factory-base:gemini .
#
# AGENTS names those of shared/agentPins.json that it is to hold, all of them where it is empty. Each is installed in the
# version that stands there, from the lock in apps/agent-runner/agents/pins, by integrity and without install scripts.
# Nothing is downloaded or unpacked when a container runs: Copilot, which unpacks itself at its first start, does it here.
FROM node:22-bookworm-slim

RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git procps python3 \
  && rm -rf /var/lib/apt/lists/*

# The user that agents and a project's own commands run as. It has no password, no shell to log in with, and
# nothing outside /work, /tmp and the like that it may write.
RUN groupadd --gid 10001 agent \
  && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin agent

ARG AGENTS=""
COPY shared/agentPins.json apps/agent-runner/agents/pins /opt/switchyard/pins/
RUN set -eu; \
  pins=/opt/switchyard/pins; \
  for agent in ${AGENTS:-$(node -p "Object.keys(require('$pins/agentPins.json')).join(' ')")}; do \
    version="$(node -p "require('$pins/agentPins.json')['$agent']")"; \
    folder="/opt/switchyard/agents/$agent@$version"; \
    mkdir -p "$folder"; \
    cp "$pins/$agent/package.json" "$pins/$agent/package-lock.json" "$folder/"; \
    (cd "$folder" && npm ci --ignore-scripts --omit=dev --no-audit --no-fund); \
  done; \
  for program in /opt/switchyard/agents/copilot@*/node_modules/@github/copilot-linux*/copilot; do \
    [ -x "$program" ] || continue; \
    HOME=/tmp/unpacking COPILOT_PKG_CACHE_HOME="$(dirname "$program")/unpacked" COPILOT_SEA_EXTRACT_ONLY=1 "$program" --version; \
  done; \
  rm -rf "$pins" /root/.npm /tmp/unpacking

WORKDIR /opt/switchyard/app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund && rm -rf /root/.npm
COPY shared shared
COPY apps/agent-runner apps/agent-runner
COPY apps/patch-manager apps/patch-manager
COPY apps/factory-base/bin/ /usr/local/bin/
RUN ln -s /opt/switchyard/app/apps/patch-manager/patch_manager.py /usr/local/bin/patch_manager.py \
  && chmod 755 /usr/local/bin/switchyard-runner /usr/local/bin/switchyard-agents \
  && install -d -m 0700 /var/lib/switchyard \
  && install -d -m 0711 /work

# The bearer token comes in SWITCHYARD_RUNNER_TOKEN. SWITCHYARD_RUNNER_ROLE is `agents`, where nothing is said, or
# `patches`: to apply and try patch sets. An argument `--role` counts more.
EXPOSE 8080
STOPSIGNAL SIGTERM
WORKDIR /
ENTRYPOINT ["switchyard-runner"]
CMD []
