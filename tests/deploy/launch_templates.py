"""What moto does not do with versions of a launch template, done in the relay that stands before it.

moto 5.2 takes no notice of SourceVersion when a version is made, and launches no instance of a version that has user data (it
fails on an assertion of its own). For moto the relay therefore does what AWS does: it lays the given data over that of the
source version, which it remembers in the words of the requests, and it keeps user data to itself and puts it into what moto
answers.
"""

import urllib.parse
import xml.etree.ElementTree

from aws_calls import strip

USER_DATA = "LaunchTemplateData.UserData"


class Templates:
    """known: {template's id: {version: its data as the request had it}}"""

    def __init__(self):
        self.known = {}

    @staticmethod
    def data_of(request):
        return {name: value for name, value in request if name.startswith("LaunchTemplateData.")}

    def complete(self, body):
        """The request with the data of its source version, where it names one."""
        if b"Action=CreateLaunchTemplateVersion" not in body:
            return body
        request = urllib.parse.parse_qsl(body.decode())
        words = dict(request)
        source = self.known.get(words.get("LaunchTemplateId"), {}).get(words.get("SourceVersion"), {})
        merged = {**source, **self.data_of(request)}
        return urllib.parse.urlencode([*[one for one in request if one[0] not in merged], *merged.items()]).encode()

    @staticmethod
    def without_user_data(body):
        if USER_DATA.encode() not in body:
            return body
        return urllib.parse.urlencode([one for one in urllib.parse.parse_qsl(body.decode()) if one[0] != USER_DATA]).encode()

    def hear(self, action, body, answer):
        """What moto answered to a request, as whoever asked shall see it."""
        if action in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"):
            root = strip(xml.etree.ElementTree.fromstring(answer))
            versions = self.known.setdefault(root.findtext(".//launchTemplateId"), {})
            versions[root.findtext(".//versionNumber") or "1"] = self.data_of(urllib.parse.parse_qsl(body.decode()))
        if action != "DescribeLaunchTemplateVersions" or not any(USER_DATA in data for versions in self.known.values()
                                                                 for data in versions.values()):
            return answer
        root = strip(xml.etree.ElementTree.fromstring(answer))
        for one in root.iterfind(".//launchTemplateVersionSet/item"):
            data = self.known.get(one.findtext("launchTemplateId"), {}).get(one.findtext("versionNumber"), {})
            if USER_DATA in data:
                xml.etree.ElementTree.SubElement(one.find("launchTemplateData"), "userData").text = data[USER_DATA]
        return xml.etree.ElementTree.tostring(root)
