// Package hostiletest has receivers that misbehave, for tests: servers that hang, break
// off, lie about lengths, flood, redirect and show false certificates, name servers
// that answer differently each time, and proxies that lead elsewhere. Tests send to
// it and look at what comes of that.
//
// Only tests use it. It knows nothing of Segue, so that what it does is what a
// foreign server could do.
package hostiletest
