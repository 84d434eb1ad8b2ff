#!/bin/bash
# Process 1 of the sandbox, in the mount and PID namespaces that "unshare" created. When it ends, the kernel ends every
# process in the sandbox, and removes the mounts, the network namespace with its rules, and the link to it.
# usage: init.sh STATE (reads STATE/node/settings)
set -euo pipefail
state=$1
source "$state/node/settings"

# The root is a writable overlay on the unpacked Debian packages, so that programs find their files, and socket paths
# stay short wherever the checkout is. Files outside the mounts below are in memory.
base=$state/sandbox
mkdir -p "$base"
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base"/{upper,work,root}
mount -t overlay -o "lowerdir=$ROOT,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
cd "$base/root"
mkdir -p proc sys dev run tmp old state cache var/lib/{containerd,kubelet} var/log/pods
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount --bind "$state" state
mount --bind -o ro "$CACHE" cache
for folder in containerd kubelet; do
  mkdir -p "$state/$folder"
  mount --bind "$state/$folder" var/lib/$folder
done
# Shared, so that containers see what kubelet mounts.
mount --make-rshared var/lib/kubelet
pivot_root . old
umount -l /old
cd /
export PATH=$PROGRAM_PATH:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

echo root:x:0:0:root:/root:/bin/bash >/etc/passwd
echo root:x:0: >/etc/group
echo "127.0.0.1 localhost" >/etc/hosts
# Do not resolve names outside the cluster: nothing in the sandbox can reach beyond this machine.
: >/etc/resolv.conf
cp /proc/sys/kernel/random/boot_id /etc/machine-id

ip netns add node
ip link add "$LINK_HOST" type veth peer name "$LINK_NODE" netns node
ip address add "$HOST_ADDRESS/$LINK_PREFIX" dev "$LINK_HOST"
ip link set "$LINK_HOST" up
ip -n node link set lo up
ip -n node address add "$NODE_ADDRESS/$LINK_PREFIX" dev "$LINK_NODE"
ip -n node link set "$LINK_NODE" up
ip -n node route add default via "$HOST_ADDRESS"
# Maintainer scripts have not run, so choose here what Debian's "alternatives" would choose, by what the kernel supports.
flavor=nft
nsenter --net=/run/netns/node iptables-nft -t nat -n -L >/dev/null 2>&1 || flavor=legacy
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf "${name/tables/tables-$flavor}" /usr/sbin/$name
done
# Not "ip netns exec": it would mount a new /sys without cgroups, which kubelet needs.
nsenter --net=/run/netns/node bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
# The process network-policies decides about new connections of pods: they wait in its queue, and pass if it does not
# run. Connections to a Service's address are left to kube-proxy, which rejects them while the Service has no pods.
# Connections of the node itself are not queued, because policies do not apply to them.
for protocol in tcp udp; do
  for from in "FORWARD ! -d $SERVICE_RANGE" "INPUT -s $POD_RANGE"; do
    # shellcheck disable=SC2086
    nsenter --net=/run/netns/node iptables -t mangle -A $from -p $protocol -m conntrack --ctstate NEW \
      -j NFQUEUE --queue-num "$POLICY_QUEUE" --queue-bypass
  done
done
# kubelet insists on writing these settings of the whole machine: mount copies for it to write to.
# https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/cm/container_manager_linux.go
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  mkdir -p "/run/sysctl/${setting%/*}"
  cat "/proc/sys/$setting" >"/run/sysctl/$setting"
  mount --bind "/run/sysctl/$setting" "/proc/sys/$setting"
done

# Create the parent cgroup of the pods, in each hierarchy of cgroup v1, or in the single one of v2.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir -p "$hierarchy/$CGROUP"
  for file in cpuset.cpus cpuset.mems; do
    if [ -e "$hierarchy/$file" ] && [ ! -e "$hierarchy/cgroup.controllers" ]; then cat "$hierarchy/$file" >"$hierarchy/$CGROUP/$file"; fi
  done
done

# Restart each process when it ends. At the start, some processes end until others are ready.
mkdir -p /state/logs
for script in /state/node/processes/*; do
  while true; do
    bash "$script" || true
    sleep 1
  done >>"/state/logs/$(basename "$script").log" 2>&1 &
done
wait
