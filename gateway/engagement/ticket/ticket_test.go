package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/engagement/ticket"
)

var now = time.Unix(1_800_000_000, 0)

var visit = ticket.Claims{Kind: ticket.Visit, ContactCenter: "cc", Visit: "v1", Expires: now.Unix() + 60}

func keys(list ...string) func() [][]byte {
	return func() (all [][]byte) {
		for _, one := range list {
			all = append(all, []byte(one))
		}
		return all
	}
}

func TestATokenSaysWhatWasSigned(t *testing.T) {
	tickets := ticket.New(keys("new", "old"))
	token, err := tickets.Sign(visit)
	require.NoError(t, err)
	got, err := tickets.Read(ticket.Visit, token, now)
	require.NoError(t, err)
	require.Equal(t, visit, got)
	again, err := tickets.Sign(visit)
	require.NoError(t, err)
	require.Equal(t, token, again)

	_, err = ticket.New(keys("newer", "new")).Read(ticket.Visit, token, now)
	require.NoError(t, err, "a key that is not the first reads")
	_, err = ticket.New(keys("newer")).Read(ticket.Visit, token, now)
	require.ErrorIs(t, err, ticket.ErrInvalid)
	_, err = tickets.Read(ticket.Invitation, token, now)
	require.ErrorIs(t, err, ticket.ErrInvalid, "of another kind")
	got, err = tickets.Read(ticket.Visit, token, now.Add(time.Minute))
	require.ErrorIs(t, err, ticket.ErrExpired)
	require.Equal(t, visit, got)
}

func TestAForgedTokenIsInvalid(t *testing.T) {
	tickets := ticket.New(keys())
	token, err := tickets.Sign(visit)
	require.NoError(t, err)
	other := visit
	other.Visit = "v2"
	forged, err := ticket.New(keys("guess")).Sign(other)
	require.NoError(t, err)
	content, _, _ := strings.Cut(forged, ".")
	_, sum, _ := strings.Cut(token, ".")
	for _, text := range []string{"", ".", "a.b", forged, content + "." + sum, token + "A", token[:len(token)-1], " " + token, strings.Repeat("a", 5000) + "." + sum} {
		_, err := tickets.Read(ticket.Visit, text, now)
		require.ErrorIs(t, err, ticket.ErrInvalid, text)
	}
	for i := range token { // each bit counts
		changed := token[:i] + string(token[i]^1) + token[i+1:]
		_, err := tickets.Read(ticket.Visit, changed, now)
		require.ErrorIs(t, err, ticket.ErrInvalid, i)
	}
}
