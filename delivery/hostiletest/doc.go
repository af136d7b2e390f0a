// Package hostiletest contains receivers that misbehave, for tests: servers that hang, break
// off, lie about lengths, flood, redirect and present false certificates, name servers that
// answer differently each time, and proxies that connect to another receiver.
//
// Only tests import it. It knows nothing of Segue, so that it does nothing that a foreign
// server could not do.
package hostiletest
