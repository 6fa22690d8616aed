// Package armtest holds what the tests of Azure Resource Manager clients share:
// an ARM with answers of the test's choice, golden requests, the providers'
// published API descriptions and recorded Azure traffic. The last two are not
// part of the product; tests that need them are skipped if they are not
// available. The package is for tests only.
package armtest
