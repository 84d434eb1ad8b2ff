#!/bin/sh
# Starts nginx with the name servers of the pod. Kubelet writes them to /etc/resolv.conf, which nginx does not read by itself
# (https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver): kube-dns, a cache on the node, or Cloud DNS.
set -eu

servers=
while read -r key address _ || [ -n "$key" ]; do
    [ "$key" = nameserver ] || continue
    case "$address" in
        "" | *[!0-9a-fA-F:.]*) ;; # such as fe80::1%eth0, which nginx cannot read
        *:*) servers="$servers [$address]" ;;
        *) servers="$servers $address" ;;
    esac
done </etc/resolv.conf
echo "resolver${servers:= 127.0.0.1} valid=5s ipv6=off;" >/tmp/resolver.conf

# On a new node, DNS may come up after the pod. A proxy that knows no addresses would be ready and answer 502.
trap 'exit 0' TERM QUIT
if command -v getent >/dev/null; then
    until getent hosts kubernetes.default.svc.cluster.local. >/dev/null; do
        echo "DNS at$servers does not answer; nginx starts when it does" >&2
        sleep 1
    done
else
    echo "the image has no getent: nginx starts without waiting for DNS at$servers" >&2
fi

# `-e stderr`: the compiled-in error log cannot be opened on a read-only root filesystem.
exec /usr/sbin/nginx -e stderr -g "daemon off;"
