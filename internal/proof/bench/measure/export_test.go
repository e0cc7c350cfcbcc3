package measure

// Item returns the attributes that must be stored of a delivery.
func Item(d *Delivery) map[string]any { return d.item }
