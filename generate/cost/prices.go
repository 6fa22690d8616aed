package cost

// The prices are those of a deployment with Functions on Flex Consumption
// without always-ready instances, Service Bus Standard, and tables in a storage
// account.
const (
	// SmallInstance, LargeInstance and HugeInstance are the sizes of an instance, in GB.
	// The small one is the default of instanceMemoryMB in infra/main.bicep.
	SmallInstance = 0.5
	LargeInstance = 2.0
	HugeInstance  = 4.0
	// RecordBytes estimates what Application Insights adds to the text of a record:
	// its time, category, ids, and the names of app, role and instance.
	RecordBytes = 640
	// MinSeconds is the minimum time that an instance is charged for once it runs
	// a function. Overlapping executions on one instance share it, so that a
	// second is the maximum for each short execution
	// (https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing).
	MinSeconds = 1
)

// Price is a list price in US dollars.
type Price struct {
	Meter string
	// Dollars is the price of Per units.
	Dollars float64
	Per     int
	Unit    string
	// Source is the page with the current price.
	Source string
}

// of returns the cost of n units.
func (p Price) of(n float64) float64 { return n * p.Dollars / float64(p.Per) }

// PriceDate is the time at which these prices were published.
const PriceDate = "in the middle of 2025"

// Prices are the prices of the meters that grow with the number of operations.
type Prices struct {
	Bus, Table, Runs, Time, Telemetry Price
}

// List returns Microsoft's list prices without discounts, free grants and
// included amounts. They are those of US regions as far as known here. Replace
// them with those of your region and contract; nothing else in this repository
// holds a price.
func List() Prices {
	const functions = "https://azure.microsoft.com/pricing/details/functions/"
	return Prices{
		Bus:       Price{"Service Bus Standard, operations beyond those included", 0.80, 1_000_000, "operations", "https://azure.microsoft.com/pricing/details/service-bus/"},
		Table:     Price{"Table Storage, transactions", 0.00036, 10_000, "transactions", "https://azure.microsoft.com/pricing/details/storage/tables/"},
		Runs:      Price{"Functions on Flex Consumption, executions", 0.40, 1_000_000, "executions", functions},
		Time:      Price{"Functions on Flex Consumption, execution time on demand", 0.000026, 1, "GB-s", functions},
		Telemetry: Price{"Application Insights (Log Analytics), ingestion beyond the free amount", 2.30, 1_000_000_000, "bytes", "https://azure.microsoft.com/pricing/details/monitor/"},
	}
}

// Money is a cost in US dollars, by meter.
type Money struct {
	Bus, Table, Functions, Telemetry float64
}

// Sum returns the total.
func (m Money) Sum() float64 { return m.Bus + m.Table + m.Functions + m.Telemetry }

// Of returns the cost of the counts on instances of a size in GB. Calls of Azure
// Resource Manager are free.
func (p Prices) Of(c Counts, size float64) Money {
	return Money{
		Bus: p.Bus.of(float64(c.Bus)), Table: p.Table.of(float64(c.Table)),
		Functions: p.Runs.of(float64(c.Runs)) + p.Time.of(c.GigabyteSeconds(size)),
		Telemetry: p.Telemetry.of(float64(c.TelemetryBytes())),
	}
}
