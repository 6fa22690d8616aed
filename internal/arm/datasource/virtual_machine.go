package datasource

import (
	"context"
	"strings"
)

// TypeVirtualMachine is the ARM type of virtual machines.
const TypeVirtualMachine = "Microsoft.Compute/virtualMachines"

// computeVersion is the api-version of the calls of Microsoft.Compute. The Azure
// CLI was recorded with it.
const computeVersion = "2024-07-01"

// VirtualMachine is a virtual machine.
type VirtualMachine struct {
	Resource
	// SecurityType is such as TrustedLaunch or ConfidentialVM; empty or Standard
	// for other machines.
	SecurityType string
}

// NeedsEnhancedPolicy reports whether only enhanced policies can protect the
// machine.
func (v VirtualMachine) NeedsEnhancedPolicy() bool {
	return v.SecurityType != "" && !strings.EqualFold(v.SecurityType, "Standard")
}

// GetVirtualMachine reads a virtual machine by its resource ID.
//
// Virtual Machines - Get: GET {machine}.
func (c *Client) GetVirtualMachine(ctx context.Context, id string) (VirtualMachine, error) {
	var b body
	if err := c.arm.Get(ctx, id, version(computeVersion), &b); err != nil {
		return VirtualMachine{}, err
	}
	return VirtualMachine{Resource: b.resource(), SecurityType: string(b.Properties.SecurityProfile.SecurityType)}, nil
}
