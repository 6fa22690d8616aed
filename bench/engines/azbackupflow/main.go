// Command azbackupflow runs the benchmark's operations with azbackupflow.
package main

import "azbackupflow/bench/internal/harness"

func main() {
	harness.Main(map[string]harness.Open{"azbackupflow": openDeployed, "azbackupflow-memory": openMemory})
}
