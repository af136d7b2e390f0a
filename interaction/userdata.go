package interaction

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
)

// Bounds of user data, survey answers, a customer and an engagement's profile, for each:
// the interaction keeps them for its whole life. Their nesting is bounded with the payload
// (maxDepth), and merging does not nest deeper.
const (
	maxUserData     = 64 << 10 // bytes, as JSON
	maxUserDataKeys = 1000     // at all levels together
)

// exceedsSize reports whether a value has more bytes as JSON than limit, and how many.
func exceedsSize(value any, limit int) (size int, exceeds bool) {
	if sizeAtMost(value) <= limit {
		return 0, false // the usual case: nothing is encoded
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return maxUserData + 1, true // a value without JSON is too large
	}
	return len(encoded), len(encoded) > limit
}

// sizeAtMost returns the most bytes that a value of a payload can have as JSON.
func sizeAtMost(value any) int {
	const (
		escaped = 6 // bytes of the longest escape sequence of one byte
		number  = 32
		unknown = 1 << 30
	)
	switch v := value.(type) {
	case nil, bool, float64:
		return number
	case string:
		return len(`""`) + escaped*len(v)
	case json.Number:
		return len(v)
	case []any:
		size := len(`[]`)
		for _, inner := range v {
			size += len(`,`) + sizeAtMost(inner)
		}
		return size
	case map[string]any:
		size := len(`{}`)
		// A sum has no order.
		//workflowcheck:ignore
		for key, inner := range v {
			size += len(`,"":`) + escaped*len(key) + sizeAtMost(inner)
		}
		return size
	}
	return unknown
}

// tooLarge returns which bound an object exceeds; "" if it is within them.
func tooLarge(object map[string]any) string {
	if size, exceeds := exceedsSize(object, maxUserData); exceeds {
		return fmt.Sprintf("has %d bytes; keep it within %d", size, maxUserData)
	}
	if keys := keysIn(object); keys > maxUserDataKeys {
		return fmt.Sprintf("has %d keys; keep it within %d", keys, maxUserDataKeys)
	}
	return ""
}

// keysIn counts the keys of an object and of all objects inside it.
func keysIn(value any) int {
	count := 0
	switch v := value.(type) {
	case map[string]any:
		// A sum has no order.
		//workflowcheck:ignore
		for _, inner := range v {
			count += 1 + keysIn(inner)
		}
	case []any:
		for _, inner := range v {
			count += keysIn(inner)
		}
	}
	return count
}

// mergeMode is what merging does with a value that is there already.
type mergeMode int

const (
	// adding keeps it (attach_user_data).
	adding mergeMode = iota
	// replacing overwrites it (update_user_data).
	replacing
)

// merged returns base with added merged into it, key by key also in nested objects, and
// whether that differs from base. Neither map is changed: views share base.
func merged(base, added map[string]any, mode mergeMode) (map[string]any, bool) {
	result, changed := base, false
	set := func(key string, value any) {
		if !changed {
			result, changed = make(map[string]any, len(base)+len(added)), true
			maps.Copy(result, base)
		}
		result[key] = value
	}
	// Every key is set by itself, so the order does not matter.
	//workflowcheck:ignore
	for key, value := range added {
		old, present := base[key]
		if !present {
			set(key, value)
			continue
		}
		oldObject, wasObject := old.(map[string]any)
		newObject, isObject := value.(map[string]any)
		if wasObject && isObject {
			if inner, differs := merged(oldObject, newObject, mode); differs {
				set(key, inner)
			}
			continue
		}
		if mode == replacing && !reflect.DeepEqual(old, value) {
			set(key, value)
		}
	}
	return result, changed
}

// without returns base without the keys of names, and whether that differs from base. If
// the value in names is an object with keys, it names keys inside the value; any other value
// is ignored, and the whole key is removed.
func without(base, names map[string]any) (map[string]any, bool) {
	result, changed := base, false
	copied := func() map[string]any {
		if !changed {
			result, changed = maps.Clone(base), true
		}
		return result
	}
	for key, value := range names {
		old, present := base[key]
		if !present {
			continue
		}
		inside, _ := old.(map[string]any)
		inner, isObject := value.(map[string]any)
		if !isObject || len(inner) == 0 {
			delete(copied(), key)
			continue
		}
		if rest, differs := without(inside, inner); differs {
			copied()[key] = rest
		}
	}
	return result, changed
}

// Return writes the return values of a call into user data (ECS "Return Values"). It fires
// nothing, so that no call can trigger itself. If the values would make user data too large,
// it writes none of them and returns an *InvalidError. Return reports whether user data has
// changed.
func (i *Interaction) Return(values map[string]any) (changed bool, err error) {
	result, changed := merged(i.r.UserData, values, replacing)
	if !changed {
		return false, nil
	}
	if reason := tooLarge(result); reason != "" {
		return false, &InvalidError{Command: "return", Field: "user_data", Why: WhyTooLarge, Reason: "with the returned values it " + reason}
	}
	i.r.UserData = result
	return true, nil
}
