// Package armtest is what the tests of Azure Resource Manager clients share: an
// ARM that answers as a test says, golden requests, the providers' published
// API descriptions and recorded Azure traffic. The latter two are not part of
// the product; tests that need them are skipped where they are not at hand.
package armtest
