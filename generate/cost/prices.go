package cost

// The deployment that is priced: Functions on Flex Consumption without
// always-ready instances, Service Bus Standard, tables in a storage account.
const (
	// InstanceGigabytes is the memory of an instance, instanceMemoryMB of
	// infra/app/function-app.bicep.
	InstanceGigabytes = 2
	// LeastSeconds is the least time that an instance is charged for once it
	// runs something. Executions that overlap on one instance share it, so that
	// a second for each execution is the most that short ones cost
	// (https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing).
	LeastSeconds = 1
)

// Price is a list price in US dollars.
type Price struct {
	Meter string
	// Dollars are for so many of Unit.
	Dollars float64
	Per     int
	Unit    string
	// Source is the page that has the price of the day.
	Source string
}

// of is what n units cost.
func (p Price) of(n float64) float64 { return n * p.Dollars / float64(p.Per) }

// PriceDate is when these were the published prices.
const PriceDate = "in the middle of 2025"

// Prices are the meters that grow with the number of operations.
type Prices struct {
	Bus, Table, Runs, Time Price
}

// List gives Microsoft's list prices without any discount, free grant or
// included amount. They are those of US regions as far as they are known here,
// to be replaced by those of one's own region and contract: nothing else in this
// repository holds a price.
func List() Prices {
	const functions = "https://azure.microsoft.com/pricing/details/functions/"
	return Prices{
		Bus:   Price{"Service Bus Standard, operations beyond those included", 0.80, 1_000_000, "operations", "https://azure.microsoft.com/pricing/details/service-bus/"},
		Table: Price{"Table Storage, transactions", 0.00036, 10_000, "transactions", "https://azure.microsoft.com/pricing/details/storage/tables/"},
		Runs:  Price{"Functions on Flex Consumption, executions", 0.40, 1_000_000, "executions", functions},
		Time:  Price{"Functions on Flex Consumption, execution time on demand", 0.000026, 1, "GB-s", functions},
	}
}

// Money is what counts cost in US dollars, by meter.
type Money struct {
	Bus, Table, Functions float64
}

// Sum adds them up.
func (m Money) Sum() float64 { return m.Bus + m.Table + m.Functions }

// Of prices counts. Calls of Azure Resource Manager are free.
func (p Prices) Of(c Counts) Money {
	return Money{
		Bus: p.Bus.of(float64(c.Bus)), Table: p.Table.of(float64(c.Table)),
		Functions: p.Runs.of(float64(c.Runs)) + p.Time.of(c.GigabyteSeconds()),
	}
}
