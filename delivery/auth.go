package delivery

import (
	"errors"
	"net/http"
	"net/textproto"
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
		token, err := used.resolveField(auth.Bearer)
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
	username, err := used.resolveName(a.Username)
	if err != nil {
		return err
	}
	password, err := used.resolve(a.Password)
	if err != nil {
		return err
	}
	req.SetBasicAuth(username, password)
	used.addBasic(username, password)
	return nil
}

// KeyHeader returns why a key cannot go into a header of that name, and what to write
// instead; both are empty if it can.
func KeyHeader(name string) (problem, remedy string) {
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
	case !isToken(name):
		return "the name is not that of a header", "use letters, digits and dashes"
	case reservedHeaders[canonical], canonical == "Content-Type":
		return "the header " + canonical + " is set by Segue itself", "use another one, such as X-Api-Key"
	}
	return "", ""
}

func apiKey(req *http.Request, a APIKeyAuth, used *secrets) error {
	switch a.In {
	case "header":
		if problem, remedy := KeyHeader(a.Name); problem != "" {
			return errors.New("auth.api_key.name: " + problem + "; " + remedy)
		}
		key, err := used.resolveField(a.Key)
		if err != nil {
			return err
		}
		for name := range req.Header {
			if strings.EqualFold(name, a.Name) { // however a header of the call is written
				delete(req.Header, name)
			}
		}
		req.Header.Set(a.Name, key)
	case "query":
		key, err := used.resolve(a.Key)
		if err != nil {
			return err
		}
		// Appended as text: parsing and encoding the query again would reorder what was rendered.
		pair := url.QueryEscape(a.Name) + "=" + url.QueryEscape(key)
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+pair, "&")
		used.add(url.QueryEscape(key)) // as it stands there, to be found when that is encoded
	default:
		return errors.New("an api_key goes into a header or the query")
	}
	return nil
}
