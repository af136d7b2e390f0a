package interaction

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
)

// maxUserData bounds user data, survey answers, a customer and an engagement's
// profile, each as JSON: they travel with the interaction for its whole life.
const maxUserData = 64 << 10

func jsonSize(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		return maxUserData + 1 // what has no JSON fits nowhere
	}
	return len(encoded)
}

func tooLarge(object map[string]any) string {
	if size := jsonSize(object); size > maxUserData {
		return fmt.Sprintf("has %d bytes; keep it within %d", size, maxUserData)
	}
	return ""
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

// without is base less the keys that names has; an object under a key names inner
// keys, anything else under it is ignored.
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
		inside, wasObject := old.(map[string]any)
		inner, isObject := value.(map[string]any)
		if wasObject && isObject && len(inner) > 0 {
			if rest, differs := without(inside, inner); differs {
				copied()[key] = rest
			}
			continue
		}
		delete(copied(), key)
	}
	return result, changed
}

// Return writes what a call returned into user data (ECS "Return Values"). It
// fires nothing, so that no call can trigger itself; values that would make
// user data too large are left out as a whole.
func (i *Interaction) Return(values map[string]any) {
	result, changed := merged(i.r.UserData, values, replacing)
	if changed && tooLarge(result) == "" {
		i.r.UserData = result
	}
}
