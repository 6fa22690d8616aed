// Command bicepcheck checks infra/ without Azure and without Bicep's own
// compiler: it parses every template, holds every resource and property against
// Azure's published resource types, and holds the templates against one another
// and against the code that they deploy.
//
//	bicepcheck ROOT    prints each finding as file:line: text; exit code 1 if there is one
//
// The resource types are those that the module azapi carries; they are read from
// Go's module cache. What an expression gives is known only where it is a
// literal, a variable that is one, or a function with one type of result: the
// rest is left unchecked, and only itself.
package main
