from umwelt.worlds.position import frame_of  # noqa: F401 - for rooms that have not moved yet
from umwelt.worlds.position import position_of as place_of  # noqa: F401
