package delivery

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// authorize adds the call's credentials to a request. On an error nothing may be
// sent: a request never leaves without what the configuration says it needs. A
// grant is what the request needs a token for, which the exchange gets.
func authorize(req *http.Request, auth Auth, used *secrets) (*grant, error) {
	switch {
	case auth.Basic != nil:
		return nil, basic(req, *auth.Basic, used)
	case auth.Bearer != "":
		token, err := used.resolve(auth.Bearer)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case auth.APIKey != nil:
		return nil, apiKey(req, *auth.APIKey, used)
	case auth.OAuth2 != nil:
		return newGrant(*auth.OAuth2, used)
	}
	return nil, nil // a client certificate comes with the connection
}

func basic(req *http.Request, a BasicAuth, used *secrets) error {
	username, err := a.Username.resolve() // a name is no secret to be searched for in responses
	if err != nil {
		return err
	}
	password, err := used.resolve(a.Password)
	if err != nil {
		return err
	}
	req.SetBasicAuth(username, password)
	used.add(base64.StdEncoding.EncodeToString([]byte(username + ":" + password)))
	return nil
}

func apiKey(req *http.Request, a APIKeyAuth, used *secrets) error {
	key, err := used.resolve(a.Key)
	if err != nil {
		return err
	}
	switch a.In {
	case "header":
		req.Header.Set(a.Name, key)
	case "query":
		// Appended as text: parsing and encoding the query again would reorder what was rendered.
		pair := url.QueryEscape(a.Name) + "=" + url.QueryEscape(key)
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+pair, "&")
		used.add(url.QueryEscape(key))
	default:
		return errors.New("an api_key goes into a header or the query")
	}
	return nil
}
