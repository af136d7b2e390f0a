package interaction

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
)

// What user data, survey answers, a customer and an engagement's profile may each
// have: they travel with the interaction for its whole life. How deep they nest is
// bounded with their payload (maxDepth), and merging makes nothing deeper.
const (
	maxUserData     = 64 << 10 // bytes, as JSON
	maxUserDataKeys = 1000     // at all levels together
)

func jsonSize(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		return maxUserData + 1 // what has no JSON fits nowhere
	}
	return len(encoded)
}

// tooLarge says by how much an object is beyond its bounds; "" when it is not.
func tooLarge(object map[string]any) string {
	if size := jsonSize(object); size > maxUserData {
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

// mergeMode is what happens to a value that is there already.
type mergeMode int

const (
	// adding keeps it (attach_user_data).
	adding mergeMode = iota
	// replacing overwrites it (update_user_data).
	replacing
)

// merged is base with added in it; nested objects merge key by key. Neither is
// changed: views that share base keep what they saw.
func merged(base, added map[string]any, mode mergeMode) (map[string]any, bool) {
	result, changed := base, false
	set := func(key string, value any) {
		if !changed {
			result, changed = make(map[string]any, len(base)+len(added)), true
			maps.Copy(result, base)
		}
		result[key] = value
	}
	// Every key is set by itself, so their order does not show.
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

// without is base less the keys that names has. An object with keys names keys
// inside the value, if that is an object too; whatever else stands under a key is
// ignored, and the key goes as a whole.
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

// Return writes what a call returned into user data (ECS "Return Values"). It
// fires nothing, so that no call can trigger itself. Values that would make user
// data too large are left out as a whole; the error, an *InvalidError, says so.
func (i *Interaction) Return(values map[string]any) error {
	result, changed := merged(i.r.UserData, values, replacing)
	if !changed {
		return nil
	}
	if reason := tooLarge(result); reason != "" {
		return &InvalidError{Command: "return", Field: "user_data", Reason: "with the returned values it " + reason}
	}
	i.r.UserData = result
	return nil
}
