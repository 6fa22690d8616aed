// Command bicepcheck checks infra/ without Azure and without Bicep's compiler. It
// parses every template, compares every resource and property with Azure's published
// resource types, and checks that the templates fit each other and the code that
// they deploy. It also knows those warnings of the compiler that this repository
// once had; see warnings.go.
//
//	bicepcheck ROOT    prints each finding as file:line: text; exits with 1 if there is one
//
// The resource types come from the module azapi, which is read from Go's module
// cache. The value of an expression is known only if it is a literal, a variable with
// a literal, or a function with one type of result. Values of other expressions are
// not checked.
package main
