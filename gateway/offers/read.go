package offers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"segue/config"
	"segue/interaction"
)

const (
	// maxList bounds scripts, dispositions and labels, as it does in the configuration.
	maxList = 1000
	// maxText bounds each text, in bytes.
	maxText = 1024
)

// read reads a response. It has the fields of the block desktop of the configuration; others are ignored.
func read(body []byte) (config.Desktop, error) {
	var list config.Desktop
	if err := json.Unmarshal(body, &list); err != nil {
		return config.Desktop{}, errors.New("is no JSON object with scripts and dispositions") // the error would quote the response
	}
	if list.Scripts == nil && list.Dispositions == nil {
		return config.Desktop{}, errors.New("has neither scripts nor dispositions") // such as the description of an error
	}
	if len(list.Scripts) > maxList || len(list.Dispositions) > maxList {
		return config.Desktop{}, fmt.Errorf("has more than %d scripts or dispositions", maxList)
	}
	for n, script := range list.Scripts {
		if err := check(script.Channel, script.ID, script.Name); err != nil {
			return config.Desktop{}, fmt.Errorf("has scripts[%d], which %w", n, err)
		}
	}
	for n, d := range list.Dispositions {
		if err := checkDisposition(d); err != nil {
			return config.Desktop{}, fmt.Errorf("has dispositions[%d], which %w", n, err)
		}
	}
	return list, nil
}

func checkDisposition(d config.Disposition) error {
	if d.Value == "" {
		return errors.New("has no value")
	}
	if len(d.Labels) > maxList {
		return fmt.Errorf("has more than %d labels", maxList)
	}
	texts := []string{d.Value}
	for _, label := range d.Labels {
		texts = append(texts, label.Language, label.Country, label.Name, label.Description)
	}
	return check(d.Channel, d.ID, texts...)
}

func check(channel interaction.Channel, id string, texts ...string) error {
	switch {
	case !slices.Contains(interaction.Channels(), channel):
		return errors.New("has no channel of Segue")
	case id == "":
		return errors.New("has no id")
	case slices.ContainsFunc(append(texts, id), func(text string) bool { return len(text) > maxText }):
		return fmt.Errorf("has a text of more than %d bytes", maxText)
	}
	return nil
}
