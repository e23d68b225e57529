#!/usr/bin/env bash
# Real containers on a Debian machine that has no image registry: run as root, as often as you like.
#   . <(test/containers/offline/up.sh DIR)      starts what is missing, then prints the variables that wrangler needs
# DIR (default: $TMPDIR or /tmp, plus switchyard-containers) keeps the root file system, certificates and logs.
# Needs Node >= 22 as `node` on PATH. First run about 3 minutes, later runs about 10 seconds. Messages go to stderr.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:-${TMPDIR:-/tmp}/switchyard-containers}
mkdir -p "$dir"
say() { echo "offline-containers: $*" >&2; }

if ! command -v dockerd >/dev/null || ! command -v debootstrap >/dev/null; then
  say "installing docker.io and debootstrap"
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io debootstrap >&2
fi
if ! docker info >/dev/null 2>&1; then
  say "starting dockerd"
  setsid dockerd --data-root "$dir/docker" >"$dir/dockerd.log" 2>&1 < /dev/null &
  for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
  docker info >/dev/null
fi
if ! docker image inspect node:22-bookworm-slim >/dev/null 2>&1; then
  say "building a stand-in for node:22-bookworm-slim"
  root=$dir/rootfs
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$dir/debootstrap.log" 2>&1
  cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
  cp /etc/apt/sources.list.d/* "$root/etc/apt/sources.list.d/" 2>/dev/null || true
  cp -L "$(node -p process.execPath)" "$root/usr/local/bin/node"
  npm_root=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  mkdir -p "$root/usr/local/lib/node_modules" && cp -r "$npm_root" "$root/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'CMD ["node"]' - node:22-bookworm-slim >&2
fi
# Only an image that was never pulled is ours to change: builds in it have to trust what this machine trusts.
bundle=${NODE_EXTRA_CA_CERTS:-}
is_pulled=$(docker image inspect -f '{{len .RepoDigests}}' node:22-bookworm-slim)
trusts=$(docker image inspect -f '{{.Config.Env}}' node:22-bookworm-slim)
if [ "$is_pulled" = 0 ] && [ -n "$bundle" ] && [[ $trusts != */opt/trusted-by-the-builder.crt* ]]; then
  say "adding the certificates that this machine trusts"
  build=$dir/certificates
  mkdir -p "$build" && cp -L "$bundle" "$build/ca-certificates.crt"
  printf 'FROM node:22-bookworm-slim\nCOPY ca-certificates.crt /opt/trusted-by-the-builder.crt\nENV NODE_EXTRA_CA_CERTS=/opt/trusted-by-the-builder.crt\n' >"$build/Dockerfile"
  DOCKER_BUILDKIT=0 docker build -q -t node:22-bookworm-slim "$build" >&2
fi
if ! docker image inspect cloudflare/proxy-everything:offline >/dev/null 2>&1; then
  say "building the stand-in network sidecar"
  build=$dir/sidecar
  mkdir -p "$build" && cp "$here/sidecar.py" "$build/"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=offline-containers" -keyout "$build/ca.key" -out "$build/ca.crt" 2>/dev/null
  printf 'FROM node:22-bookworm-slim\nRUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 iptables openssl\nCOPY sidecar.py ca.crt ca.key /\nENTRYPOINT ["python3", "/sidecar.py"]\n' >"$build/Dockerfile"
  DOCKER_BUILDKIT=0 docker build --network host -q -t cloudflare/proxy-everything:offline "$build" >&2
fi
sock=$dir/docker.sock
if ! curl -s --unix-socket "$sock" http://d/_ping >/dev/null 2>&1; then
  setsid node "$here/docker-socket-proxy.mjs" "$sock" >"$dir/docker-socket-proxy.log" 2>&1 < /dev/null &
  for _ in $(seq 40); do curl -s --unix-socket "$sock" http://d/_ping >/dev/null 2>&1 && break; sleep 0.25; done
fi
cat <<VARS
export WRANGLER_DOCKER_BIN='$here/docker-offline.sh'
export WRANGLER_DOCKER_HOST='unix://$sock'
export MINIFLARE_CONTAINER_EGRESS_IMAGE='cloudflare/proxy-everything:offline'
export WRANGLER_SEND_METRICS=false
VARS
