package interaction

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// kind is what a field of a payload may hold: how it is checked, and the JSON Schema for
// the same.
type kind struct {
	// words says what it may hold, for people.
	words  string
	check  func(value any) *fault
	schema func() map[string]any
}

// Bounds of single fields.
const (
	maxName    = 255 // the size of the columns of search attributes
	maxAgentID = 256 // no such column holds it unchanged
	maxText    = 8 << 10
	maxAgent   = 4 << 10
	maxOffered = 50
	maxKeys    = 1000
	maxTimeout = 365 * 24 * time.Hour
	maxID      = 128
	idPattern  = `^[A-Za-z0-9._~:@-]{1,128}$`
)

// MaxIdentity bounds contact center and id together, in bytes: with "interaction/" before
// them and a slash between them they are a workflow id, which has at most 255 bytes on
// PostgreSQL and MySQL.
const MaxIdentity = 255 - len("interaction//")

var isID = regexp.MustCompile(idPattern).MatchString

const idReason = "not an id; use 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -"

var kindID = kind{
	words: "id: 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -",
	check: func(value any) *fault {
		if id, ok := value.(string); !ok || !isID(id) {
			return wrong(value, idReason)
		}
		return nil
	},
	schema: func() map[string]any { return map[string]any{"type": "string", "pattern": idPattern} },
}

func kindString(limit int, oneLine bool) kind {
	return kind{
		words: "text",
		check: func(value any) *fault {
			text, ok := value.(string)
			switch {
			case !ok:
				return wrong(value, "not a string; send text in quotes")
			case text == "":
				return wrong(value, "is empty; send a text")
			case len(text) > limit:
				return oversized(value, fmt.Sprintf("has %d bytes; send at most %d", len(text), limit))
			case oneLine && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
				return wrong(value, "holds a control character; remove it")
			}
			return nil
		},
		schema: func() map[string]any { return map[string]any{"type": "string", "maxLength": limit} },
	}
}

// kindAgentID is the id of an agent or another actor, as the platform has it. It is data,
// and no part of a workflow id. A number becomes text.
var kindAgentID = kind{
	words: "text or a number",
	check: func(value any) *fault {
		if _, ok := agentID(value); !ok {
			return wrong(value, "not an agent's id; send a string or a number")
		}
		if text, ok := value.(string); ok {
			return kindAgentText.check(text)
		}
		return nil
	},
	schema: func() map[string]any {
		text := map[string]any{"type": "string", "minLength": 1, "maxLength": maxAgentID, "pattern": `^[^\x00-\x1f\x7f]*$`}
		return map[string]any{"anyOf": []any{text, map[string]any{"type": "number"}}}
	},
}

var (
	kindName      = kindString(maxName, true)
	kindAgentText = kindString(maxAgentID, true)
	kindText      = kindString(maxText, false)
)

func kindEnum[T ~string](names ...T) kind {
	listed := make([]string, len(names))
	for i, name := range names {
		listed[i] = string(name)
	}
	return kind{
		words: strings.Join(listed, " | "),
		check: func(value any) *fault {
			if text, ok := value.(string); !ok || !slices.Contains(listed, text) {
				return wrong(value, "not known; use one of "+strings.Join(listed, ", "))
			}
			return nil
		},
		schema: func() map[string]any { return map[string]any{"enum": listed} },
	}
}

var kindBool = kind{
	words: "true or false",
	check: func(value any) *fault {
		if _, ok := value.(bool); !ok {
			return wrong(value, "not a boolean; send true or false")
		}
		return nil
	},
	schema: func() map[string]any { return map[string]any{"type": "boolean"} },
}

func withinBounds(object map[string]any) *fault {
	if reason := tooLarge(object); reason != "" {
		return oversized(object, reason)
	}
	return nil
}

// kindObject is any object, bounded because the interaction keeps it.
var kindObject = kind{
	words: "object",
	check: func(value any) *fault {
		object, ok := value.(map[string]any)
		if !ok {
			return wrong(value, "not an object; send {…}")
		}
		return withinBounds(object)
	},
	schema: func() map[string]any { return map[string]any{"type": "object"} },
}

// workbinShape is the fields that may identify a workbin, if they are strings.
var workbinShape = shape{
	{name: "name", kind: kindOptionalName}, {name: "id", kind: kindOptionalName}, {name: "workbinId", kind: kindOptionalName},
}

// kindOptionalName is a name, or any value that is not a string.
var kindOptionalName = kind{
	words: "anything",
	check: func(value any) *fault {
		if _, ok := value.(string); !ok {
			return nil
		}
		return kindName.check(value)
	},
	schema: func() map[string]any { return map[string]any{"maxLength": maxName} },
}

var kindWorkbin = kind{
	words: "text, or an object that identifies it",
	check: func(value any) *fault {
		switch workbin := value.(type) {
		case string:
			return kindName.check(workbin)
		case map[string]any:
			if len(workbin) > 0 {
				if found := workbinShape.fault(workbin); found != nil {
					return found
				}
				return withinBounds(workbin)
			}
		}
		return wrong(value, "not a workbin; send its name or an object that identifies it")
	},
	schema: func() map[string]any {
		object := workbinShape.schema()
		object["minProperties"] = 1
		return map[string]any{"anyOf": []any{kindName.schema(), object}}
	},
}

var kindDuration = kind{
	words: "duration, such as 45s",
	check: func(value any) *fault {
		text, _ := value.(string)
		if d, err := time.ParseDuration(text); err != nil || d <= 0 || d > maxTimeout {
			return wrong(value, `not a duration; send one as Go writes it, such as "45s" or "2m30s"`)
		}
		return nil
	},
	schema: func() map[string]any {
		return map[string]any{"type": "string", "pattern": `^[0-9.a-zµμ+]+$`, "examples": []any{"45s"}}
	},
}

var kindTime = kind{
	words: "time, RFC 3339",
	check: func(value any) *fault {
		text, _ := value.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		// Years beyond these cannot be written back as RFC 3339 in UTC.
		if err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
			return wrong(value, `not a time; send RFC 3339, such as "2026-01-31T09:30:00Z"`)
		}
		return nil
	},
	schema: func() map[string]any { return map[string]any{"type": "string", "format": "date-time"} },
}

var kindSequence = kind{
	words: "number from 1",
	check: func(value any) *fault {
		if n, ok := value.(float64); !ok || n < 1 || n != float64(int64(n)) {
			return wrong(value, "not a sequence number; count from 1 in whole numbers")
		}
		return nil
	},
	schema: func() map[string]any { return map[string]any{"type": "integer", "minimum": 1} },
}

// kindCount is a number of things that are counted from 1.
var kindCount = kind{
	words: "number from 1",
	check: func(value any) *fault {
		if n, ok := value.(float64); !ok || n < 1 || n > maxCount || n != float64(int64(n)) {
			return wrong(value, "not a number; count from 1 in whole numbers")
		}
		return nil
	},
	schema: func() map[string]any { return map[string]any{"type": "integer", "minimum": 1, "maximum": maxCount} },
}

const maxCount = 1 << 30

var kindDigits = kind{
	words: "1 to 64 of 0-9 * # A-D",
	check: func(value any) *fault {
		text, _ := value.(string)
		const reason = `not touch tones; send a string of 1 to 64 of 0-9 * # A-D`
		if len(text) > 64 {
			return oversized(value, reason)
		}
		if text == "" || strings.Trim(text, "0123456789*#ABCDabcd") != "" {
			return wrong(value, reason)
		}
		return nil
	},
	schema: func() map[string]any {
		return map[string]any{"type": "string", "pattern": `^[0-9*#A-Da-d]{1,64}$`}
	},
}

// kindKeys is a list of user-data keys.
var kindKeys = kind{
	words: "list of text",
	check: func(value any) *fault {
		keys, ok := value.([]any)
		if !ok || len(keys) == 0 {
			return wrong(value, fmt.Sprintf("not a list of keys; send 1 to %d strings", maxKeys))
		}
		if len(keys) > maxKeys {
			return oversized(value, fmt.Sprintf("has %d keys; send at most %d", len(keys), maxKeys))
		}
		for i, key := range keys {
			if _, ok := key.(string); !ok {
				return wrong(key, "not a string; send the key in quotes").within(fmt.Sprintf("[%d]", i))
			}
		}
		return nil
	},
	schema: func() map[string]any {
		return map[string]any{"type": "array", "minItems": 1, "maxItems": maxKeys, "items": map[string]any{"type": "string"}}
	},
}
