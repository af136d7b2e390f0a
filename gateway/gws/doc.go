// Package gws serves the Interactions API of Genesys Web Services (GWS): /api/v2, for agents'
// desktops that know it. It turns operations into commands and states into GWS resources.
//
// The package must never judge whether an operation is legal: the interaction does. How an agent sees
// an interaction is package view's, which notifications a change causes is package notify's.
package gws
