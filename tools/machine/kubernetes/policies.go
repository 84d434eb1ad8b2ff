package main

import (
	"context"
	"errors"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/spf13/cobra"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/api"
	"sigs.k8s.io/kube-network-policies/pkg/network"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
	"sigs.k8s.io/kube-network-policies/pkg/podinfo"
)

// newNetworkPoliciesCommand decides on new connections by NetworkPolicies: the engine is that of kube-network-policies, and the
// kernel asks it by the netfilter queue that iptables fills. Its own data plane wants nftables' queue, which fewer kernels have.
func newNetworkPoliciesCommand() *cobra.Command {
	var kubeconfig, node string
	var queue uint16
	command := &cobra.Command{
		Use:  "network-policies",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return enforce(kubeconfig, node, queue) },
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how the API server is reached")
	command.Flags().StringVar(&node, "hostname-override", "", "the node's name")
	command.Flags().Uint16Var(&queue, "queue", 100, "number of the netfilter queue")
	return command
}

func enforce(kubeconfig, node string, queue uint16) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	engine, err := newEngine(ctx, kubeconfig, node)
	if err != nil {
		return err
	}
	packets, err := nfqueue.Open(&nfqueue.Config{
		NfQueue:      queue,
		MaxPacketLen: 128, // Addresses and ports.
		MaxQueueLen:  4096,
		Copymode:     nfqueue.NfQnlCopyPacket,
		WriteTimeout: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	defer packets.Close()
	decide := func(a nfqueue.Attribute) int {
		if a.PacketID == nil || a.Payload == nil {
			return 0
		}
		if err := packets.SetVerdict(*a.PacketID, verdict(ctx, engine, *a.Payload)); err != nil {
			log.Printf("no verdict given: %v", err)
		}
		return 0
	}
	failed := func(err error) int {
		if ctx.Err() == nil {
			log.Printf("queue: %v", err)
		}
		return 0
	}
	if err := packets.RegisterWithErrorFunc(ctx, decide, failed); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func newEngine(ctx context.Context, kubeconfig, node string) (*networkpolicy.PolicyEngine, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	addresses, err := podinfo.NewInformerResolver(pods.Informer())
	if err != nil {
		return nil, err
	}
	known := podinfo.NewInformerProvider(pods, namespaces, nil, []podinfo.IPResolver{addresses})
	evaluator := networkpolicy.NewStandardNetworkPolicy(node, namespaces, pods, policies)
	factory.Start(ctx.Done())
	for _, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, errors.New("the API server did not tell all pods, namespaces and policies")
		}
	}
	return networkpolicy.NewPolicyEngine(known, []api.PolicyEvaluator{evaluator}), nil
}

// verdict is a no where the engine cannot tell: what is not allowed is forbidden.
func verdict(ctx context.Context, engine *networkpolicy.PolicyEngine, payload []byte) int {
	packet, err := network.ParsePacket(payload)
	if err != nil {
		return nfqueue.NfDrop
	}
	if allowed, err := engine.EvaluatePacket(ctx, &packet); err != nil || !allowed {
		return nfqueue.NfDrop
	}
	return nfqueue.NfAccept
}
