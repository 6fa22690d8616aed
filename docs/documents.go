// Package docs holds documents that the app serves, so that programs read the very
// files that people read.
package docs

import _ "embed" // for the documents

//go:embed openapi.json
var openAPI []byte

// OpenAPI is the OpenAPI document of the HTTP API as JSON, without references to
// other files.
func OpenAPI() []byte { return openAPI }
