package check

import "segue/contract"

// Mask returns a request in which what looks like a credential is hidden.
func Mask(r contract.Request) contract.Request {
	masked, _ := r.Masked()
	return masked
}
