#!/bin/bash
# Process 1 of the sandbox, which "unshare" gave mounts and process ids of its own: when it ends, the kernel ends every
# process in here and takes the mounts, the network namespace with its rules, and the link to it away.
# usage: init.sh STATE; the settings are in STATE/node/settings
set -euo pipefail
state=$1
source "$state/node/settings"

# A writable view of the unpacked Debian packages becomes the root, so that everything is found where it expects it and
# socket paths stay short however deep the checkout lies. What is written outside the mounts below is kept in memory.
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
# kubelet shares what it mounts with the containers it starts.
mount --make-rshared var/lib/kubelet
pivot_root . old
umount -l /old
cd /
export PATH=$PROGRAM_PATH:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

echo root:x:0:0:root:/root:/bin/bash >/etc/passwd
echo root:x:0: >/etc/group
echo "127.0.0.1 localhost" >/etc/hosts
# Names outside the cluster are not resolved: nothing in here reaches beyond this machine.
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
# Maintainer scripts have not run, so the choice that Debian's "alternatives" would make is made here, by what the kernel has.
flavor=nft
nsenter --net=/run/netns/node iptables-nft -t nat -n -L >/dev/null 2>&1 || flavor=legacy
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf "${name/tables/tables-$flavor}" /usr/sbin/$name
done
# "ip netns exec" would mount a new /sys, in which kubelet finds no cgroups.
nsenter --net=/run/netns/node bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
# What a pod begins is decided by network-policies (process of that name): new connections wait in its queue, and pass where it
# does not run. A Service's own address is left to kube-proxy, which refuses it while there is no pod behind it. The node itself
# reaches its pods whatever policies say, so what it sends is not asked about.
for protocol in tcp udp; do
  for from in "FORWARD ! -d $SERVICE_RANGE" "INPUT -s $POD_RANGE"; do
    # shellcheck disable=SC2086
    nsenter --net=/run/netns/node iptables -t mangle -A $from -p $protocol -m conntrack --ctstate NEW \
      -j NFQUEUE --queue-num "$POLICY_QUEUE" --queue-bypass
  done
done
# kubelet insists on setting these for the whole machine: it gets copies to write to.
# https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/cm/container_manager_linux.go
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  mkdir -p "/run/sysctl/${setting%/*}"
  cat "/proc/sys/$setting" >"/run/sysctl/$setting"
  mount --bind "/run/sysctl/$setting" "/proc/sys/$setting"
done

# kubelet puts pods below a group of their own, in each hierarchy of cgroup v1 or in the one of v2.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir -p "$hierarchy/$CGROUP"
  for file in cpuset.cpus cpuset.mems; do
    if [ -e "$hierarchy/$file" ] && [ ! -e "$hierarchy/cgroup.controllers" ]; then cat "$hierarchy/$file" >"$hierarchy/$CGROUP/$file"; fi
  done
done

# Each process is started again when it ends: at first some wait for others in this way.
mkdir -p /state/logs
for script in /state/node/processes/*; do
  while true; do
    bash "$script" || true
    sleep 1
  done >>"/state/logs/$(basename "$script").log" 2>&1 &
done
wait
