package datasource

import (
	"context"
	"strings"

	"azbackupflow/internal/arm/azjson"
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

type machineBody struct {
	body
	Properties struct {
		TimeCreated     azjson.Time
		SecurityProfile struct{ SecurityType azjson.Text }
	}
}

func (b machineBody) machine() VirtualMachine {
	v := VirtualMachine{Resource: b.resource(), SecurityType: string(b.Properties.SecurityProfile.SecurityType)}
	if v.Created.IsZero() {
		v.Created = b.Properties.TimeCreated.Time
	}
	return v
}

// GetVirtualMachine reads a virtual machine by its resource ID.
//
// Virtual Machines - Get: GET {machine}.
func (c *Client) GetVirtualMachine(ctx context.Context, id string) (VirtualMachine, error) {
	var b machineBody
	if err := c.arm.Get(ctx, id, version(computeVersion), &b); err != nil {
		return VirtualMachine{}, err
	}
	return b.machine(), nil
}
