# Any photos in VOC layout (docs/data.md); `--data-root DIR` names the folder.
data = dict(root="data/photos")
