// Package cronofy is a client of Cronofy's Smart Invites API.
package cronofy
